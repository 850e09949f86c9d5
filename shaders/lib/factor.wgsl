// The factor of a spike as a whole number of 2^-31, and what it makes of a weight: the twin of src/plan/traces.rs.

fn factor_of(x: f32) -> u32 {
    let high = select(x, 1.0, 1.0 < x);
    let cut = select(0.0, high, 0.0 < high);
    return u32(cut * 2147483648.0);
}

// The weight, of at most 2^30 quanta, times the factor, to the nearest quantum, halves away from zero.
fn scaled(weight: i32, factor: u32) -> i32 {
    let twice = u32(abs(weight)) << 1u;
    let size = i32(high(twice, factor) + ((twice * factor) >> 31u));
    return select(size, -size, weight < 0);
}
