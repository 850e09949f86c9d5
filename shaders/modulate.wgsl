// Traces of modulators. Part of the kernels of weights that change: one workgroup, between the update of a batch and the change of
// weights, counts from the log how often a neuron of each modulator has spiked in every step, and appends an entry for each such
// step to the modulator's history. What stands where is told in src/engine/gpu/modulators.rs.

var<workgroup> struck: array<atomic<u32>, 32>;

// Whether a neuron, numbered over the whole network, is of the modulator whose words begin at `t`.
fn modulates(t: u32, neuron: u32) -> bool {
    for (var k = 0u; k < wires[t + 2u]; k++) {
        let part = t + 3u + 3u * k;
        if (wires[part] == 0u) {
            if (neuron - wires[part + 1u] < wires[part + 2u]) {
                return true;
            }
            continue;
        }
        var low = wires[part + 1u];
        let end = low + wires[part + 2u];
        var high = end;
        while (low < high) {
            let middle = (low + high) / 2u;
            if (wires[middle] < neuron) { low = middle + 1u; } else { high = middle; }
        }
        if (low < end && wires[low] == neuron) {
            return true;
        }
    }
    return false;
}

{{MODULATORS}}
@compute @workgroup_size({{GROUP}})
fn modulate(@builtin(local_invocation_index) lane: u32) {
    // How many spikes of the log have been looked at, which begins anew with every submission.
    let all = min(atomicLoad(&log.count), arrayLength(&log.spikes));
    let seen = select(work.items[wires[11]], 0u, batch.first == batch.origin);
    for (var k = 0u; k < wires[10]; k++) {
        let t = wires[wires[9] + k];
        for (var b = lane; b < 32u; b += {{GROUP}}u) {
            atomicStore(&struck[b], 0u);
        }
        workgroupBarrier();
        for (var i = seen + lane; i < all; i += {{GROUP}}u) {
            if (modulates(t, log.spikes[i].y)) {
                atomicAdd(&struck[log.spikes[i].x - batch.first - 1u], 1u);
            }
        }
        workgroupBarrier();
        if (lane == 0u) {
            switch (k) {
{{CASES}}                default: {}
            }
        }
        workgroupBarrier();
    }
    if (lane == 0u) {
        work.items[wires[11]] = all;
    }
}
