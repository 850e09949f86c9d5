// The delivery of a batch: each workgroup takes work items (row, chunk, step within the batch) and adds their weights to the
// ring, from stored rows or drawing them again. A fixed grid strides to the count. Eight storage bindings.

struct Batch {
    first: u32,
    steps: u32,
    origin: u32,
    list: u32,
}

struct Work {
    counts: array<u32, 8>,
    items: array<u32>,
}

struct Log {
    count: atomic<u32>,
    lost: atomic<u32>,
    broken: atomic<u32>,
    events: atomic<u32>,
    events_high: atomic<u32>,
}

var<immediate> batch: Batch;
@group(0) @binding(0) var<storage, read> info: array<u32>;
@group(0) @binding(1) var<storage, read> wires: array<u32>;
@group(0) @binding(2) var<storage, read> ends: array<u32>;
@group(0) @binding(3) var<storage, read> synapses: array<u32>;
@group(0) @binding(4) var<storage, read> weights: array<u32>;
@group(0) @binding(5) var<storage, read> work: Work;
@group(0) @binding(6) var<storage, read_write> ring: array<atomic<i32>>;
@group(0) @binding(7) var<storage, read_write> log: Log;

// Rows of the ring and slots of a row, bits of a delay: read once, as a load costs a software adapter as much as thirty
// operations. Then the row that is due a step after the spike's own, and the number of events that were drawn.
var<private> rows: u32;
var<private> width: u32;
var<private> bits: u32;
var<private> now: u32;
var<private> events: u32;

{{FACTOR}}
fn add(slot: u32, delay: u32, weight: i32) {
    var row = now + delay;
    row = select(row, row - rows, row >= rows);
    atomicAdd(&ring[row * width + slot], weight);
}

fn take(p: u32, slot: u32, delay: u32, weight: i32) {
    events++;
    add(slot, delay, times_factor(weight << wires[p + 15u]));
}

fn stored_chunk(p: u32, row: u32, chunk: u32, lane: u32) {
    let mask = (1u << bits) - 1u;
    let format = wires[p + 27u];
    var begin = 0u;
    if (row > 0u) {
        begin = ends[row - 1u];
    }
    begin += u32(format == 1u) * (begin & 1u) + chunk * {{CHUNK}}u;
    let end = min(ends[row], begin + {{CHUNK}}u);
    if (format == 0u) {
        let weight = times_factor(bitcast<i32>(wires[p + 14u]) << wires[p + 15u]);
        for (var j = begin + lane; j < end; j += {{GROUP}}u) {
            let s = synapses[j];
            add(s >> bits, s & mask, weight);
        }
    } else if (format == 1u) {
        let base = wires[p + 28u];
        let origin = wires[p + 29u];
        let shift = wires[p + 15u];
        for (var j = begin + lane; j < end; j += {{GROUP}}u) {
            let s = synapses[j];
            let n = j - origin;
            let pair = weights[base + n / 2u];
            add(s >> bits, s & mask, times_factor((bitcast<i32>(pair << (16u - 16u * (n & 1u))) >> 16u) << shift));
        }
    } else {
        let base = wires[p + 28u] - wires[p + 29u];
        for (var j = begin + lane; j < end; j += {{GROUP}}u) {
            let s = synapses[j];
            add(s >> bits, s & mask, times_factor(bitcast<i32>(weights[base + j])));
        }
    }
}

@compute @workgroup_size({{GROUP}})
fn deliver(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    rows = info[0];
    width = info[1];
    bits = wires[0];
    let capacity = info[2];
    let appended = work.counts[batch.list];
    let count = min(appended, capacity);
    // The work list is shared by all shards; the first one tells of a loss.
    if (info[8] == 0u && group.x == 0u && lane == 0u && appended > capacity) {
        atomicAdd(&log.lost, appended - capacity);
    }
    for (var w = group.x; w < count; w += groups.x) {
        let item = {{ITEM}}u * (batch.list * capacity + w);
        let row = work.items[item];
        let p = {{HEADER}}u + {{RECORD}}u * (work.items[item + 1u] >> 8u);
        now = (batch.first + (work.items[item + 1u] & 255u) + 1u) % rows;
        {{TAKE}}
        {{CHUNKS}}
    }
    if (events > 0u) {
        let before = atomicAdd(&log.events, events);
        if (before + events < before) {
            atomicAdd(&log.events_high, 1u);
        }
    }
}
