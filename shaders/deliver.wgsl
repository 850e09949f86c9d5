// The delivery of a batch: each workgroup takes work items (source, chunk of its row) and adds their weights to the ring.
// A fixed grid strides to the count. Six storage bindings.

struct Batch {
    first: u32,
    steps: u32,
    origin: u32,
    list: u32,
}

struct Work {
    counts: array<u32, 4>,
    items: array<vec2<u32>>,
}

struct Log {
    count: atomic<u32>,
    lost: atomic<u32>,
    broken: atomic<u32>,
    unused: u32,
}

var<immediate> batch: Batch;
@group(0) @binding(0) var<storage, read> info: array<u32>;
@group(0) @binding(1) var<storage, read> ends: array<u32>;
@group(0) @binding(2) var<storage, read> synapses: array<vec2<u32>>;
@group(0) @binding(3) var<storage, read> work: Work;
@group(0) @binding(4) var<storage, read_write> ring: array<atomic<i32>>;
@group(0) @binding(5) var<storage, read_write> log: Log;

@compute @workgroup_size(64)
fn deliver(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
    let rows = info[0];
    let slots = info[1];
    let capacity = info[2];
    let delay_bits = info[7];
    let delay_mask = (1u << delay_bits) - 1u;
    let appended = work.counts[batch.list];
    let count = min(appended, capacity);
    // The work list is shared by all shards; the first one tells of a loss.
    if (info[8] == 0u && group.x == 0u && lane == 0u && appended > capacity) {
        atomicAdd(&log.lost, appended - capacity);
    }
    for (var w = group.x; w < count; w += groups.x) {
        let item = work.items[batch.list * capacity + w];
        let begin = select(ends[item.x - 1u], 0u, item.x == 0u) + (item.y >> 8u) * {{CHUNK}}u;
        let end = min(ends[item.x], begin + {{CHUNK}}u);
        let now = (batch.first + (item.y & 255u) + 1u) % rows;
        for (var j = begin + lane; j < end; j += 64u) {
            let synapse = synapses[j];
            var row = now + (synapse.x & delay_mask);
            row = select(row, row - rows, row >= rows);
            atomicAdd(&ring[row * slots + (synapse.x >> delay_bits)], bitcast<i32>(synapse.y));
        }
    }
}
