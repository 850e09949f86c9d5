// Weights that change. `change`: each workgroup takes items (row, chunk, spikes of the batch) and brings every synapse of the chunk
// up to each spike in turn: first the spikes of its target that have reached it since, in order, then the spike itself; then the
// weight is on its way. `settle`: where a history is nearly full, brings all synapses up to the end of the batch, which changes no
// bit of what follows. One thread owns a synapse, so nothing depends on the order of threads. Eight storage bindings; what `wires`
// holds is described in src/engine/gpu/plastic.rs, modulators.rs and wires.rs.

struct Batch {
    first: u32,
    steps: u32,
    origin: u32,
    list: u32,
}

struct Work {
    // By list: work items, rows that change, whether a history is nearly full, the step up to which all synapses are settled.
    counts: array<u32, 8>,
    items: array<u32>,
}

struct Log {
    count: atomic<u32>,
    lost: atomic<u32>,
    broken: atomic<u32>,
    unused: array<u32, 5>,
    spikes: array<vec2<u32>>,
}

var<immediate> batch: Batch;
@group(0) @binding(0) var<storage, read> wires: array<u32>;
@group(0) @binding(1) var<storage, read> ends: array<u32>;
@group(0) @binding(2) var<storage, read> synapses: array<u32>;
@group(0) @binding(3) var<storage, read_write> weights: array<u32>;
@group(0) @binding(4) var<storage, read_write> work: Work;
@group(0) @binding(5) var<storage, read_write> ring: array<atomic<i32>>;
@group(0) @binding(6) var<storage, read_write> log: Log;
@group(0) @binding(7) var<storage, read> state: array<u32>;

fn finite(x: f32) -> bool {
    return (bitcast<u32>(x) & 0x7F800000u) != 0x7F800000u;
}

// Where a row begins, and which neuron its source is.
fn begin_of(row: u32) -> u32 {
    if (row == 0u) {
        return 0u;
    }
    return ends[row - 1u];
}

fn source_of(q: u32, k: u32) -> u32 {
    if (wires[q + 6u] == 1u) {
        return wires[wires[q + 7u] + k];
    }
    return wires[q + 7u] + k;
}

// The last entry of a history at or before a step, from entry n on; entries have `each` words, and `mask` is one less than their room.
fn last_entry(h: u32, n: u32, each: u32, mask: u32, step: u32) -> u32 {
    var e = n;
    while (e > 0u && state[h + 1u + (e & mask) * each] > step) {
        e--;
    }
    return e;
}

// The same of the history of a modulator.
fn last_modulator(held: u32, each: u32, step: u32) -> u32 {
    var e = work.items[held] - 1u;
    while (e > 0u && work.items[held + 1u + (e & {{DEPTH}}u) * each] > step) {
        e--;
    }
    return e;
}

// A weight that leaves at step `now`.
fn send(q: u32, slot: u32, now: u32, delay: u32, weight: f32) {
    if (!finite(weight)) {
        atomicStore(&log.broken, 1u);
        return;
    }
    var row = now % wires[1] + delay;
    row = select(row, row - wires[1], row >= wires[1]);
    atomicAdd(&ring[row * wires[2] + slot], i32(round(weight * bitcast<f32>(wires[q + 11u]))));
}

{{RULES}}
@compute @workgroup_size({{GROUP}})
fn change(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let capacity = wires[6];
    let appended = work.counts[2u + batch.list];
    let count = min(appended, capacity);
    // The list is shared by all shards; the first one tells of a loss.
    if (wires[8] == 0u && group.x == 0u && lane == 0u && appended > capacity) {
        atomicAdd(&log.lost, appended - capacity);
    }
    for (var w = group.x; w < count; w += groups.x) {
        let item = wires[7] + {{ITEM}}u * (batch.list * capacity + w);
        let row = work.items[item];
        let p = {{HEADER}}u + {{RECORD}}u * (work.items[item + 1u] >> 8u);
        let q = wires[p + 32u];
        let source = source_of(q, row - wires[p + 26u]);
        let begin = begin_of(row) + {{CHUNK}}u * work.items[item + 2u];
        let end = min(ends[row], begin + {{CHUNK}}u);
        let spikes = work.items[item + 3u];
        switch (wires[q]) {
{{CHANGES}}            default: {}
        }
    }
}

@compute @workgroup_size({{GROUP}})
fn settle(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    // 1 where a history is nearly full, 2 where someone looks: then weights that move between events stand at this very step.
    let full = work.counts[4u + batch.list];
    let now = batch.first + batch.steps;
    if (group.x == 0u && lane == 0u) {
        work.counts[7u - batch.list] = select(work.counts[6u + batch.list], now, full != 0u);
    }
    if (full == 0u) {
        return;
    }
    for (var n = 0u; n < wires[5]; n++) {
        let p = wires[wires[4] + n];
        let q = wires[p + 32u];
        for (var k = group.x; k < wires[p + 1u]; k += groups.x) {
            let row = wires[p + 26u] + k;
            let source = source_of(q, k);
            let begin = begin_of(row);
            let end = ends[row];
            switch (wires[q]) {
{{SETTLES}}                default: {}
            }
        }
    }
}
