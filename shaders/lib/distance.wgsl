// Rows by distance, strip by strip, and what follows from the distance: the twin of src/plan/wiring/distance/strips.rs and of
// src/plan/space. Reads `wires`, whose layout is declared in src/engine/gpu/nearby.rs.

const EACH = 0xFFFFFFFFu;

// The place of the i-th member of a part; `d` is where its six words are.
fn place_of(d: u32, i: u32) -> vec3<u32> {
    var neuron = wires[d + 1u] + i;
    if (wires[d] == 1u) {
        neuron = wires[neuron];
    }
    let at = wires[d + 5u];
    if (wires[d + 2u] == 1u) {
        return vec3(wires[at + 3u * neuron], wires[at + 3u * neuron + 1u], wires[at + 3u * neuron + 2u]);
    }
    let wide = wires[d + 3u];
    let tall = wires[d + 4u];
    let row = neuron / wide;
    return vec3(wires[at + neuron % wide], wires[at + wide + row % tall], wires[at + wide + tall + row / tall]);
}

// How far two coordinates are apart along an axis, the short way round.
fn apart(space: u32, axis: u32, a: u32, b: u32) -> u32 {
    let d = max(a, b) - min(a, b);
    return min(d, wires[space + axis] - d);
}

// The squares of how far two places are apart along each axis.
fn squares(space: u32, a: vec3<u32>, b: vec3<u32>) -> vec3<u32> {
    let d = vec3(apart(space, 0u, a.x, b.x), apart(space, 1u, a.y, b.y), apart(space, 2u, a.z, b.z));
    return d * d;
}

// The entry of a square in tables over it.
fn entry_of(square: u32) -> u32 {
    let zeros = countLeadingZeros(square | 1u);
    let shift = 21u - min(21u, zeros);
    return (shift << 10u) + (square >> shift);
}

// A table of so many entries, and its value at the square of a distance; the last one beyond.
fn by_square(table: u32, square: u32) -> u32 {
    return wires[table + 1u + min(entry_of(square), wires[table] - 1u)];
}

// Weight and delay of a synapse, where they follow from the distance.
fn by_distance(p: u32, source: u32, position: u32, weight: i32, delay: u32) -> vec2<i32> {
    let space = wires[p + 33u];
    var out = vec2(weight, i32(delay));
    if (space != 0u) {
        let far = squares(space, place_of(space + 3u, source), place_of(space + 9u, position));
        let square = far.x + far.y + far.z;
        if (wires[p + 34u] != 0u) {
            out.x = bitcast<i32>(by_square(wires[p + 34u], square));
        }
        if (wires[p + 35u] != 0u) {
            out.y = i32(by_square(wires[p + 35u], square));
        }
    }
    return out;
}

// The square that kernels are read at.
fn combined(d: u32, squares: vec3<u32>) -> u32 {
    return select(squares.x + squares.y + squares.z, max(squares.x, max(squares.y, squares.z)), wires[d + 8u] == 1u);
}

// How far a cell is from a coordinate along an axis.
fn cell_apart(d: u32, axis: u32, cell: u32, x: u32) -> u32 {
    let low = wires[wires[d + 4u + axis] + cell];
    let high = wires[wires[d + 4u + axis] + wires[d + 1u + axis] + cell];
    let far = min(apart(wires[d], axis, x, low), apart(wires[d], axis, x, high));
    return select(far, 0u, low <= x && x <= high);
}

// Minus the logarithm of a uniform word, in units of 2^-27.
fn exponential(table: u32, u: u32) -> u32 {
    let word = max(u, 1u);
    let zeros = countLeadingZeros(word);
    let fraction = (word << zeros) << 1u;
    let at = table + (fraction >> 22u);
    let low = wires[at];
    return (zeros + 1u) * 93032640u - low - high(wires[at + 1u] - low, fraction << 10u);
}

// Targets of a cell.
fn cell_length(d: u32, cell: vec3<u32>) -> u32 {
    if (wires[d + 13u] == 1u) {
        let number = wires[d + 14u] + (cell.z * wires[d + 2u] + cell.y) * wires[d + 1u] + cell.x;
        return wires[number + 1u] - wires[number];
    }
    let n = vec3(wires[d + 14u], wires[d + 15u], wires[d + 16u]);
    let block = vec3(wires[d + 17u], wires[d + 18u], wires[d + 19u]);
    let here = min(block, n - cell * block);
    return here.x * here.y * here.z;
}

// The position among the targets of the j-th of a cell.
fn cell_target(d: u32, cell: vec3<u32>, j: u32) -> u32 {
    if (wires[d + 13u] == 1u) {
        let number = wires[d + 14u] + (cell.z * wires[d + 2u] + cell.y) * wires[d + 1u] + cell.x;
        return wires[wires[d + 15u] + wires[number] + j];
    }
    let n = vec3(wires[d + 14u], wires[d + 15u], wires[d + 16u]);
    let first = cell * vec3(wires[d + 17u], wires[d + 18u], wires[d + 19u]);
    let tall = min(wires[d + 18u], n.y - first.y);
    let lines = tall * min(wires[d + 19u], n.z - first.z);
    let line = j % lines;
    return ((first.z + line / tall) * n.y + first.y + line % tall) * n.x + first.x + j / lines;
}

// What a strip has drawn so far: words of its points and of targets that take one each, and synapses.
struct Strip {
    words: vec4<u32>,
    drawn: u32,
    own: vec4<u32>,
    owned: u32,
    kept: u32,
    weights: vec4<u32>,
    delays: vec4<u32>,
}

var<private> strip: Strip;

// The distance to the next point.
fn next_gap(p: u32, d: u32, source: u32, stretch: u32) -> u32 {
    if ((strip.drawn & 3u) == 0u) {
        strip.words = philox(key_at(p + 3u), vec4(source, strip.drawn / 4u, stretch, 0u));
    }
    let word = strip.words[strip.drawn & 3u];
    strip.drawn++;
    return exponential(wires[d + 12u], word);
}

// A target that has been hit, as `offset` says for its hazard, or the word that it takes.
fn hit(p: u32, d: u32, source: u32, stretch: u32, place: vec3<u32>, position: u32, offset: u32, each: bool) {
    let far = squares(wires[d], place, place_of(wires[d] + 9u, position));
    let square = combined(d, far);
    let reach = wires[d + 7u];
    if (square > reach * reach || position == own(p, source) || offset >= by_square(wires[d + select(10u, 11u, each)], square)) {
        return;
    }
    let k = strip.kept;
    if ((k & 3u) == 0u) {
        strip.weights = law_words(p, 13u, source, k / 4u, stretch);
        strip.delays = law_words(p, 18u, source, k / 4u, stretch);
    }
    strip.kept++;
    synapse(p, source, position, strip.weights[k & 3u], strip.delays[k & 3u]);
}

// All synapses of a strip of a row.
fn near_strip(p: u32, source: u32, stretch: u32) {
    let d = wires[p + 7u];
    let place = place_of(wires[d] + 3u, source);
    let reach = wires[d + 7u];
    let y = stretch % wires[d + 2u];
    let z = stretch / wires[d + 2u];
    let across = cell_apart(d, 1u, y, place.y);
    let up = cell_apart(d, 2u, z, place.z);
    if (across > reach || up > reach || combined(d, vec3(0u, across * across, up * up)) > reach * reach) {
        return;
    }
    strip = Strip();
    var ahead = next_gap(p, d, source, stretch);
    for (var x = 0u; x < wires[d + 1u]; x++) {
        let along = cell_apart(d, 0u, x, place.x);
        if (along > reach) {
            continue;
        }
        let square = combined(d, vec3(along * along, across * across, up * up));
        if (square > reach * reach) {
            continue;
        }
        let cell = vec3(x, y, z);
        let count = cell_length(d, cell);
        let hazard = by_square(wires[d + 9u], square);
        if (hazard == 0u || count == 0u) {
            continue;
        }
        if (hazard == EACH) {
            for (var j = 0u; j < count; j++) {
                if ((strip.owned & 3u) == 0u) {
                    strip.own = philox(key_at(p + 3u), vec4(source, strip.owned / 4u, stretch, 1u));
                }
                let word = strip.own[strip.owned & 3u];
                strip.owned++;
                hit(p, d, source, stretch, place, cell_target(d, cell, j), word, true);
            }
            continue;
        }
        // The next point is `ahead` of the beginning of target j.
        var j = 0u;
        var fresh = true;
        while (ahead / hazard < count - j) {
            let passed = ahead / hazard;
            let offset = ahead - passed * hazard;
            j += passed;
            if (fresh || passed > 0u) {
                hit(p, d, source, stretch, place, cell_target(d, cell, j), offset, false);
            }
            fresh = false;
            ahead = offset + next_gap(p, d, source, stretch);
        }
        ahead -= (count - j) * hazard;
    }
}
