// Writes the rows of a projection in canonical order: one thread to a row, so that the bytes are the same on every device.
// Rows of 16-bit weights begin at an even number: no two threads share a word. Four storage bindings.

struct Portion {
    // Record of the projection, first source, sources.
    record: u32,
    first: u32,
    sources: u32,
    unused: u32,
}

var<immediate> portion: Portion;
@group(0) @binding(0) var<storage, read> wires: array<u32>;
@group(0) @binding(1) var<storage, read> ends: array<u32>;
@group(0) @binding(2) var<storage, read_write> synapses: array<u32>;
@group(0) @binding(3) var<storage, read_write> weights: array<u32>;

var<private> at: u32;
var<private> half: u32;

fn take(p: u32, slot: u32, delay: u32, weight: i32) {
    synapses[at] = (slot << wires[0]) | delay;
    if (wires[p + 27u] == 1u) {
        let n = at - wires[p + 29u];
        let bits = bitcast<u32>(weight) & 0xFFFFu;
        if ((n & 1u) == 0u) {
            half = bits;
        } else {
            weights[wires[p + 28u] + n / 2u] = half | (bits << 16u);
        }
    } else if (wires[p + 27u] == 3u) {
        // In units of the largest, whose reciprocal stands among the words of how weights change.
        let unit = bitcast<f32>(wires[wires[p + 32u] + 10u]);
        let x = f32(weight << wires[p + 15u]) * unit;
        let low = select(x, 0.0, x < 0.0);
        weights[wires[p + 28u] + at - wires[p + 29u]] = bitcast<u32>(select(low, 1.0, low > 1.0));
    }
    at++;
}

@compute @workgroup_size({{GROUP}})
fn fill(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x >= portion.sources) {
        return;
    }
    let p = portion.record;
    let row = wires[p + 26u] + portion.first + id.x;
    let short = wires[p + 27u] == 1u;
    if (row > 0u) {
        at = ends[row - 1u];
    }
    at += u32(short) * (at & 1u);
    whole_row(p, portion.first + id.x);
    let n = at - wires[p + 29u];
    if (short && (n & 1u) == 1u) {
        weights[wires[p + 28u] + n / 2u] = half;
    }
}
