// How many synapses each row has onto the targets of this shard: one thread to a row. Two storage bindings.

struct Portion {
    // Record of the projection, first source, sources.
    record: u32,
    first: u32,
    sources: u32,
    unused: u32,
}

var<immediate> portion: Portion;
@group(0) @binding(0) var<storage, read> wires: array<u32>;
@group(0) @binding(1) var<storage, read_write> counts: array<u32>;

var<private> counted: u32;

fn take(p: u32, slot: u32, delay: u32, weight: i32) {
    counted++;
}

@compute @workgroup_size({{GROUP}})
fn count(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x >= portion.sources) {
        return;
    }
    whole_row(portion.record, portion.first + id.x);
    counts[wires[portion.record + 26u] + portion.first + id.x] = counted;
}
