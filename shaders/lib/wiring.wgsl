// Rows of synapses from integers: the twin of src/plan/wiring and src/base/draw.rs, word for word. Reads `wires`, whose layout
// is declared in src/engine/gpu/wires.rs; a kernel gives `take`, which gets every synapse onto a target of its shard.

const NONE = 0xFFFFFFFFu;
const ALL_TO_ALL = 0u;
const ONE_TO_ONE = 1u;
const BERNOULLI = 2u;
const INDEPENDENT = 3u;
const DISTINCT = 4u;
const STUBS = 5u;
const DISTANCE = 6u;

struct Permutation {
    n: u32,
    left: u32,
    right: u32,
    rounds: u32,
    key: vec4<u32>,
}

fn mix32(value: u32) -> u32 {
    var x = (value ^ (value >> 16u)) * 0x7FEB352Du;
    x = (x ^ (x >> 15u)) * 0x846CA68Bu;
    return x ^ (x >> 16u);
}

fn permuted_once(p: Permutation, x: u32) -> u32 {
    let wide = (1u << p.right) - 1u;
    let narrow = (1u << p.left) - 1u;
    var l = x >> p.right;
    var r = x & wide;
    for (var round = 0u; round < p.rounds; round += 2u) {
        let turn = (round / 4u) * 0x9E3779B9u;
        l ^= mix32(r ^ (p.key[round & 3u] + turn)) & narrow;
        r ^= mix32(l ^ (p.key[(round + 1u) & 3u] + turn)) & wide;
    }
    return (l << p.right) | r;
}

fn permuted(p: Permutation, i: u32) -> u32 {
    var x = permuted_once(p, i);
    while (x >= p.n) {
        x = permuted_once(p, x);
    }
    return x;
}

fn permutation(n: u32, key: vec4<u32>) -> Permutation {
    let bits = 32u - countLeadingZeros(max(n, 1u) - 1u);
    let rounds = select(select(6u, 12u, bits <= 7u), 24u, bits <= 4u);
    return Permutation(n, bits / 2u, bits - bits / 2u, rounds, key);
}

// The integer of a law for a uniform word.
fn law(table: u32, u: u32) -> i32 {
    let fraction = wires[table];
    let i = u >> 20u;
    var entry = i;
    var part = u << 12u;
    if (i == 0u || i == 4095u) {
        entry = select(8194u, 4097u, i == 0u) + ((u >> 8u) & 0xFFFu);
        part = u << 24u;
    }
    let a = wires[table + 1u + entry];
    let b = wires[table + 2u + entry];
    let falling = bitcast<i32>(b) < bitcast<i32>(a);
    let share = high(select(b - a, a - b, falling), part);
    let x = select(a + share, a - share, falling) + ((1u << fraction) >> 1u);
    return bitcast<i32>(x) >> fraction;
}

fn key_at(at: u32) -> vec2<u32> {
    return vec2(wires[at], wires[at + 1u]);
}

// The position among the targets that a source may not reach.
fn own(p: u32, source: u32) -> u32 {
    switch (wires[p + 5u]) {
        case 1u: {
            let t = source + wires[p + 6u];
            return select(NONE, t, t < wires[p + 2u]);
        }
        case 2u: { return wires[wires[p + 6u] + source]; }
        default: { return NONE; }
    }
}

fn skipping(t: u32, own: u32) -> u32 {
    return t + u32(t >= own);
}

// Ends of rows at `table`: the first number of row `source`.
fn begin_of(table: u32, source: u32) -> u32 {
    if (source == 0u) {
        return 0u;
    }
    return wires[table + source - 1u];
}

fn stub_block(p: u32, stretch: u32) -> u32 {
    return wires[p + 10u] + 12u * stretch;
}

// Synapses of a stretch of a row; not of rows by chance, which are walked.
fn length_of(p: u32, source: u32, stretch: u32) -> u32 {
    switch (wires[p]) {
        case ALL_TO_ALL: { return wires[p + 2u] - u32(own(p, source) != NONE); }
        case ONE_TO_ONE: { return u32(own(p, source) != source); }
        case INDEPENDENT, DISTINCT: {
            let table = wires[p + 7u];
            if (table == 0u) {
                return wires[p + 8u];
            }
            return wires[table + source] - begin_of(table, source);
        }
        case STUBS: {
            let ends = wires[stub_block(p, stretch)];
            return wires[ends + source] - begin_of(ends, source);
        }
        default: { return 0u; }
    }
}

// Positions of the targets of synapses 4q .. 4q+3 of a stretch.
fn quad_targets(p: u32, source: u32, stretch: u32, q: u32, count: u32) -> vec4<u32> {
    let mine = own(p, source);
    var out = vec4<u32>();
    switch (wires[p]) {
        case ALL_TO_ALL: {
            for (var i = 0u; i < 4u; i++) {
                out[i] = skipping(4u * q + i, mine);
            }
        }
        case ONE_TO_ONE: { out[0] = source; }
        case INDEPENDENT: {
            let others = wires[p + 2u] - u32(mine != NONE);
            let words = philox(key_at(p + 3u), vec4(source, q, 0u, 0u));
            for (var i = 0u; i < 4u; i++) {
                out[i] = skipping(high(words[i], others), mine);
            }
        }
        case DISTINCT: {
            let others = wires[p + 2u] - u32(mine != NONE);
            let order = permutation(others, philox(key_at(p + 3u), vec4(source, 0u, 0u, 0u)));
            for (var i = 0u; i < count; i++) {
                out[i] = skipping(permuted(order, 4u * q + i), mine);
            }
        }
        case STUBS: {
            let b = stub_block(p, stretch);
            let key = vec4(wires[b + 5u], wires[b + 6u], wires[b + 7u], wires[b + 8u]);
            let order = Permutation(wires[b + 1u], wires[b + 2u], wires[b + 3u], wires[b + 4u], key);
            let first = begin_of(wires[b], source) + 4u * q;
            for (var i = 0u; i < count; i++) {
                out[i] = permuted(order, first + i);
            }
            out = traded(wires[b + 9u], wires[b + 10u], first, count, out);
            out = vec4(stretch * wires[p + 8u]) + out / vec4(wires[p + 7u]);
        }
        default: {}
    }
    return out;
}

// Stubs of synapses `first`.., after the trades of a sorted list of (synapse, stub).
fn traded(list: u32, entries: u32, first: u32, count: u32, stubs: vec4<u32>) -> vec4<u32> {
    var out = stubs;
    var low = 0u;
    var top = entries;
    while (low < top) {
        let middle = (low + top) / 2u;
        if (wires[list + 2u * middle] < first) { low = middle + 1u; } else { top = middle; }
    }
    while (low < entries && wires[list + 2u * low] < first + count) {
        out[wires[list + 2u * low] - first] = wires[list + 2u * low + 1u];
        low++;
    }
    return out;
}

// One synapse: its words are those of its laws.
fn synapse(p: u32, source: u32, position: u32, weight_word: u32, delay_word: u32) {
    var neuron = wires[p + 12u] + position;
    if (wires[p + 11u] == 1u) {
        neuron = wires[neuron];
    }
    if (neuron < wires[p + 22u] || neuron >= wires[p + 23u]) {
        return;
    }
    var weight = bitcast<i32>(wires[p + 14u]);
    if (wires[p + 13u] != 0u) {
        weight = law(wires[p + 13u], weight_word);
    }
    var delay = wires[p + 19u];
    if (wires[p + 18u] != 0u) {
        delay = u32(max(law(wires[p + 18u], delay_word), 1));
    }
    let far = by_distance(p, source, position, weight, delay);
    weight = far.x;
    delay = u32(far.y);
    take(p, neuron + wires[p + select(24u, 25u, weight < 0)], delay, weight);
}

fn law_words(p: u32, which: u32, source: u32, q: u32, stretch: u32) -> vec4<u32> {
    if (wires[p + which] == 0u) {
        return vec4<u32>();
    }
    return philox(key_at(p + which + select(2u, 3u, which == 13u)), vec4(source, q, stretch, 0u));
}

// Synapses 4q .. 4q+3 of a stretch of `length`.
fn quad(p: u32, source: u32, stretch: u32, q: u32, length: u32) {
    let count = min(4u, length - 4u * q);
    let targets = quad_targets(p, source, stretch, q, count);
    let weights = law_words(p, 13u, source, q, stretch);
    let delays = law_words(p, 18u, source, q, stretch);
    for (var i = 0u; i < count; i++) {
        synapse(p, source, targets[i], weights[i], delays[i]);
    }
}

// Failures before the next success for a uniform word; the table's length where it ends before.
fn gap(table: u32, entries: u32, u: u32) -> u32 {
    var low = 0u;
    var top = entries;
    while (low < top) {
        let middle = (low + top) / 2u;
        if (wires[table + middle] <= u) { low = middle + 1u; } else { top = middle; }
    }
    return low;
}

// All synapses of a block of targets of a Bernoulli row.
fn walk(p: u32, source: u32, stretch: u32) {
    let mine = own(p, source);
    let bits = wires[p + 7u];
    let end = min((stretch + 1u) << bits, wires[p + 2u]);
    let entries = wires[p + 9u];
    var at = stretch << bits;
    var k = 0u;
    var weights = vec4<u32>();
    var delays = vec4<u32>();
    for (var b = 0u; at < end; b++) {
        let words = philox(key_at(p + 3u), vec4(source, b, stretch, 0u));
        for (var i = 0u; i < 4u; i++) {
            let failures = gap(wires[p + 8u], entries, words[i]);
            at += failures;
            if (at < end && failures < entries) {
                if (at != mine) {
                    if ((k & 3u) == 0u) {
                        weights = law_words(p, 13u, source, k / 4u, stretch);
                        delays = law_words(p, 18u, source, k / 4u, stretch);
                    }
                    synapse(p, source, at, weights[k & 3u], delays[k & 3u]);
                    k++;
                }
                at++;
            }
        }
    }
}

// A whole row.
fn whole_row(p: u32, source: u32) {
    for (var stretch = 0u; stretch < wires[p + 31u]; stretch++) {
        if (wires[p] == BERNOULLI) {
            walk(p, source, stretch);
        } else if (wires[p] == DISTANCE) {
            near_strip(p, source, stretch);
        } else {
            let length = length_of(p, source, stretch);
            for (var q = 0u; 4u * q < length; q++) {
                quad(p, source, stretch, q, length);
            }
        }
    }
}

// What a lane of a work item does: chunk `chunk` of a row that is not stored.
fn drawn_chunk(p: u32, source: u32, chunk: u32, lane: u32) {
    if (wires[p] == BERNOULLI || wires[p] == DISTANCE) {
        let end = min((chunk + 1u) * {{WALKS}}u, wires[p + 31u]);
        for (var stretch = chunk * {{WALKS}}u + lane; stretch < end; stretch += {{GROUP}}u) {
            if (wires[p] == DISTANCE) { near_strip(p, source, stretch); } else { walk(p, source, stretch); }
        }
        return;
    }
    var left = chunk;
    for (var stretch = 0u; stretch < wires[p + 31u]; stretch++) {
        let length = length_of(p, source, stretch);
        let chunks = (length + {{CHUNK}}u - 1u) / {{CHUNK}}u;
        if (left < chunks) {
            let end = min((left + 1u) * {{CHUNK}}u, length);
            for (var q = left * {{CHUNK}}u / 4u + lane; 4u * q < end; q += {{GROUP}}u) {
                quad(p, source, stretch, q, length);
            }
            return;
        }
        left -= chunks;
    }
}
