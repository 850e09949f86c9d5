// Spikes per pixel and their tones, for the raster of the window: what src/view/density.rs does on the processor. Columns of time
// lie in a ring, column k at k % columns; rows begin at the top.

struct Sight {
    // Place in the ring of the oldest column; columns and rows; steps of a column.
    first: u32,
    columns: u32,
    rows: u32,
    per: u32,
    // Height of the upper edge, and rows for one unit of height.
    low: f32,
    rise: f32,
    // Spikes that are new.
    spikes: u32,
    // Columns of the ring that become new ones: the place of the first, and how many.
    stale: u32,
    fresh: u32,
    // The eye takes its time while the simulation runs.
    moving: u32,
    ground: u32,
}

struct Light {
    // Of the counts that are not zero.
    sum: atomic<u32>,
    cells: atomic<u32>,
    // What the eye is used to.
    mean: f32,
}

@group(0) @binding(0) var<uniform> sight: Sight;
@group(0) @binding(1) var<storage, read_write> counts: array<atomic<u32>>;
// Of the middle of each neuron's row; below 0 if it is not shown.
@group(0) @binding(2) var<storage, read> heights: array<f32>;
// Step and neuron.
@group(0) @binding(3) var<storage, read> spikes: array<vec2<u32>>;
@group(0) @binding(4) var<storage, read_write> light: Light;
// The colour of each row; 0 between populations.
@group(0) @binding(5) var<storage, read> tints: array<u32>;
@group(0) @binding(6) var tones: texture_storage_2d<rgba8unorm, write>;

// A thread to a cell of the columns that become new ones.
@compute @workgroup_size(256)
fn clear(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x < sight.fresh * sight.rows {
        let column = (sight.stale + id.x % sight.fresh) % sight.columns;
        atomicStore(&counts[id.x / sight.fresh * sight.columns + column], 0u);
    }
}

// A thread to a spike. A difference and a product: the same number on every device.
@compute @workgroup_size(256)
fn bin(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x >= sight.spikes {
        return;
    }
    let spike = spikes[id.x];
    let row = (heights[spike.y] - sight.low) * sight.rise;
    if row >= 0.0 && row < f32(sight.rows) {
        let column = (spike.x - 1u) / sight.per % sight.columns;
        atomicAdd(&counts[u32(row) * sight.columns + column], 1u);
    }
}

var<workgroup> part: array<atomic<u32>, 2>;

// A thread to 16 cells, a workgroup to what it adds to the light.
@compute @workgroup_size(256)
fn measure(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) thread: u32) {
    let all = sight.columns * sight.rows;
    var found = vec2<u32>(0u, 0u);
    for (var k = 0u; k < 16u; k++) {
        let cell = (group.x * 16u + k) * 256u + thread;
        if cell < all {
            let count = atomicLoad(&counts[cell]);
            found += vec2<u32>(count, min(count, 1u));
        }
    }
    if found.y > 0u {
        atomicAdd(&part[0], found.x);
        atomicAdd(&part[1], found.y);
    }
    workgroupBarrier();
    if thread == 0u {
        atomicAdd(&light.sum, atomicLoad(&part[0]));
        atomicAdd(&light.cells, atomicLoad(&part[1]));
    }
}

// One thread: the eye gets used to the mean of the counts.
@compute @workgroup_size(1)
fn expose() {
    let cells = atomicExchange(&light.cells, 0u);
    let sum = atomicExchange(&light.sum, 0u);
    let mean = f32(sum) / f32(max(cells, 1u));
    if light.mean == 0.0 || sight.moving == 0u {
        light.mean = mean;
    } else {
        light.mean += 0.1 * (mean - light.mean);
    }
}

// A thread to a pixel.
@compute @workgroup_size(64, 4)
fn tone(@builtin(global_invocation_id) id: vec3<u32>) {
    if id.x >= sight.columns || id.y >= sight.rows {
        return;
    }
    let count = atomicLoad(&counts[id.y * sight.columns + (sight.first + id.x) % sight.columns]);
    let tint = tints[id.y];
    var colour = unpack4x8unorm(sight.ground);
    if count > 0u && tint != 0u {
        let bright = 1.0 - exp(-f32(min(count, 63u)) * 1.2 / max(light.mean, 0.3));
        colour = mix(colour, unpack4x8unorm(tint), 0.15 + 0.85 * bright);
    }
    textureStore(tones, vec2<u32>(id.x, id.y), colour);
}
