// The update of a batch: each neuron integrates all steps of the batch with its state in registers.
// Eight storage bindings; what the host writes into them is described in src/engine/gpu/tables.rs.

struct Batch {
    // Step at which the batch begins, and its number of steps.
    first: u32,
    steps: u32,
    // Step at which the submission began: samples and waves count from it.
    origin: u32,
    // Which of the two work lists this batch fills.
    list: u32,
}

struct Work {
    // By list: work items, rows that change, whether a history is nearly full, the step up to which all synapses are settled.
    counts: array<atomic<u32>, 8>,
    // Row, projection << 8 | step within the batch, chunk of the row, and, where spikes have one, their factor.
    items: array<u32>,
}

struct Log {
    count: atomic<u32>,
    lost: atomic<u32>,
    broken: atomic<u32>,
    events: atomic<u32>,
    events_high: atomic<u32>,
    // Entries that a history has lost while a synapse needed them.
    pushed: atomic<u32>,
    unused: array<u32, 2>,
    spikes: array<vec2<u32>>,
}

var<immediate> batch: Batch;
@group(0) @binding(0) var<storage, read> info: array<u32>;
@group(0) @binding(1) var<storage, read> numbers: array<f32>;
@group(0) @binding(2) var<storage, read> waves: array<u32>;
@group(0) @binding(3) var<storage, read_write> state: array<u32>;
@group(0) @binding(4) var<storage, read_write> ring: array<i32>;
@group(0) @binding(5) var<storage, read_write> work: Work;
@group(0) @binding(6) var<storage, read_write> log: Log;
@group(0) @binding(7) var<storage, read_write> samples: array<f32>;

// Count for a uniform word, from a table: least count, entries, guide of 256 words (the highest bit tells that there is
// something to search), thresholds.
fn poisson(table: u32, least: u32, entries: u32, u: u32) -> i32 {
    let guide = info[table + 2u + (u >> 24u)];
    var k = guide & 0x7FFFFFFFu;
    if (guide != k) {
        while (k < entries && info[table + 258u + k] <= u) {
            k++;
        }
    }
    return i32(least + k);
}

// How many of `count` events are kept, each by a word of its own; a full share keeps all.
fn thinned(count: i32, share: u32, key: vec2<u32>, counter: vec2<u32>) -> i32 {
    if (share == 0xFFFFFFFFu) {
        return count;
    }
    var kept = 0;
    var block = vec4<u32>();
    for (var j = 0u; j < u32(count); j++) {
        if ((j & 3u) == 0u) {
            block = philox(key, vec4(counter.x, counter.y, j / 4u, 1u));
        }
        if (block[j & 3u] < share) {
            kept++;
        }
    }
    return kept;
}

// Replayed spikes that arrive at `step`, from a table: entries, sorted steps.
fn replayed(table: u32, step: u32) -> i32 {
    let entries = info[table];
    var low = 0u;
    var high = entries;
    while (low < high) {
        let middle = (low + high) / 2u;
        if (info[table + 1u + middle] < step) { low = middle + 1u; } else { high = middle; }
    }
    var count = 0;
    while (low < entries && info[table + 1u + low] == step) {
        count++;
        low++;
    }
    return count;
}

// The position of a neuron among the sources of a projection that may leave it; NONE where it is not among them.
fn position(at: u32, within: u32) -> u32 {
    if (info[at + 1u] == 1u) {
        return info[info[at + 2u] + within];
    }
    let k = within - info[at + 2u];
    return select(0xFFFFFFFFu, k, k < info[at + 3u]);
}

{{TOLD}}// Logs a spike and appends the chunks of its rows to the work list. Counters run past the end, so that a loss is known.
fn emit(neuron: u32, within: u32, leaving: u32, t: u32) {
    let at = atomicAdd(&log.count, 1u);
    if (at < info[3]) {
        log.spikes[at] = vec2(batch.first + t + 1u, neuron);
    }
    let end = leaving + 1u + 7u * info[leaving];
    var chunks = 0u;
    for (var p = leaving + 1u; p < end; p += 7u) {
        let k = position(p, within);
        if (k != 0xFFFFFFFFu) {
            chunks += info[info[p + 5u] + k];
        }
    }
    if (chunks == 0u) {
        return;
    }
    var item = atomicAdd(&work.counts[batch.list], chunks);
    for (var p = leaving + 1u; p < end; p += 7u) {
        let k = position(p, within);
        if (k != 0xFFFFFFFFu) {
            let mine = info[info[p + 5u] + k];
            for (var c = 0u; c < mine; c++) {
                if (item < info[2]) {
                    let word = {{ITEM}}u * (batch.list * info[2] + item);
                    work.items[word] = info[p + 4u] + k;
                    work.items[word + 1u] = info[p] | t;
                    work.items[word + 2u] = c;
{{FACTOR}}                }
                item++;
            }
        }
    }
}

fn finite(x: f32) -> bool {
    return (bitcast<u32>(x) & 0x7F800000u) != 0x7F800000u;
}

{{CLASSES}}
@compute @workgroup_size({{GROUP}})
fn update(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let g = group.y * groups.x + group.x;
    if (g == 0u && lane == 0u) {
        atomicStore(&work.counts[1u - batch.list], 0u);
        atomicStore(&work.counts[3u - batch.list], 0u);
        atomicStore(&work.counts[5u - batch.list], 0u);
    }
    if (g >= info[5]) {
        return;
    }
    let p = info[info[4] + 2u * g];
    let i = info[info[4] + 2u * g + 1u] + lane;
    if (i >= info[p + 2u]) {
        return;
    }
{{START}}    switch (info[p]) {
{{CASES}}        default: {}
    }
}
