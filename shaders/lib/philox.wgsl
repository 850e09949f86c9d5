// Counter-based random numbers, Philox4x32-10 (Salmon et al. 2011): the twin of src/base/rng.rs.

// High word of a 32 x 32 bit product, by halves: WGSL has no 64-bit integers everywhere.
fn high(a: u32, b: u32) -> u32 {
    let low = (a & 0xFFFFu) * (b & 0xFFFFu);
    let m = (a >> 16u) * (b & 0xFFFFu) + (low >> 16u);
    let n = (a & 0xFFFFu) * (b >> 16u) + (m & 0xFFFFu);
    return (a >> 16u) * (b >> 16u) + (m >> 16u) + (n >> 16u);
}

fn philox(stream: vec2<u32>, counter: vec4<u32>) -> vec4<u32> {
    var key = stream;
    var c = counter;
    for (var round = 0u; round < 10u; round++) {
        c = vec4(
            high(c.z, 0xCD9E8D57u) ^ c.y ^ key.x,
            c.z * 0xCD9E8D57u,
            high(c.x, 0xD2511F53u) ^ c.w ^ key.y,
            c.x * 0xD2511F53u,
        );
        key = key + vec2(0x9E3779B9u, 0xBB67AE85u);
    }
    return c;
}

// A draw from (0, 1], evenly.
fn uniform_of(stream: vec2<u32>, counter: vec4<u32>) -> f32 {
    let block = philox(stream, counter);
    let low = (f32(block.y >> 8u) + 0.5) * 5.9604645e-8;
    return (f32(block.x >> 8u) + low) * 5.9604645e-8;
}

// A standard normal draw (Box & Muller 1958). Divides by 2^24 by its reciprocal, which is exact.
fn normal(stream: vec2<u32>, counter: vec4<u32>) -> f32 {
    let block = philox(stream, counter);
    let u = (f32(block.x >> 8u) + 0.5) * 5.9604645e-8;
    let v = f32(block.y >> 8u) * 5.9604645e-8;
    return sqrt_of(-2.0 * log_of(u)) * cos_turns(v);
}
