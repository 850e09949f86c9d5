// What the update does for weights that change. Part of the update kernel.

// Whether so many entries more would push out of a history of `kept` ones an entry that some synapse still needs.
fn crowded(h: u32, words: u32, kept: u32, more: u32) -> bool {
    let count = state[h];
    if (count + more <= kept) {
        return false;
    }
    let oldest = count + more - kept;
    if (oldest >= count) {
        return true;
    }
    return state[h + 1u + (oldest & (kept - 1u)) * words] + info[0] - 1u > atomicLoad(&work.counts[6u + batch.list]);
}

// After a batch with events of a neuron: all synapses are settled before its history could overflow.
fn watch(h: u32, words: u32, kept: u32, more: u32) {
    if (crowded(h, words, kept, more)) {
        atomicStore(&work.counts[4u + batch.list], 1u);
    }
}

// Appends the chunks of rows whose weights change, each with all spikes of the batch.
fn announce(within: u32, leaving: u32, spikes: u32) {
    let end = leaving + 1u + 7u * info[leaving];
    for (var p = leaving + 1u; p < end; p += 7u) {
        let k = position(p, within);
        if (k == 0xFFFFFFFFu) {
            continue;
        }
        let mine = info[info[p + 5u] + k];
        if (mine == 0u) {
            continue;
        }
        var item = atomicAdd(&work.counts[2u + batch.list], mine);
        for (var c = 0u; c < mine; c++) {
            if (item < info[11]) {
                let word = info[12] + {{CHANGE}}u * (batch.list * info[11] + item);
                work.items[word] = info[p + 4u] + k;
                work.items[word + 1u] = info[p];
                work.items[word + 2u] = c;
                work.items[word + 3u] = spikes;
            }
            item++;
        }
    }
}

