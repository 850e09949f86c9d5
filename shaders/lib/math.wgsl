// Elementary functions from + - * and exact operations alone: the twin of src/base/math.rs, operation for operation.
// Constants are final f32 values; WGSL would fold a quotient of literals in another precision.

fn power_of_two(n: i32) -> f32 {
    return bitcast<f32>((n + 127) << 23u);
}

fn flush(x: f32) -> f32 {
    return select(x, 0.0, abs(x) < 7.888609e-31);
}

fn recip_of(x: f32) -> f32 {
    let a = abs(x);
    var y = bitcast<f32>(0x7EF311C3u - bitcast<u32>(a));
    y = y * (2.0 - a * y);
    y = y * (2.0 - a * y);
    y = y * (2.0 - a * y);
    y = y + y * (1.0 - a * y);
    return select(y, -y, x < 0.0);
}

fn sqrt_of(x: f32) -> f32 {
    let tiny = x < 7.523164e-37;
    let a = select(x, 1.0, tiny);
    var y = bitcast<f32>(0x5F375A86u - (bitcast<u32>(a) >> 1u));
    y = y * (1.5 - 0.5 * a * y * y);
    y = y * (1.5 - 0.5 * a * y * y);
    y = y * (1.5 - 0.5 * a * y * y);
    let s = a * y;
    let t = s + 0.5 * y * (a - s * s);
    return select(t, 0.0, tiny);
}

fn exp_of(value: f32) -> f32 {
    let low = select(value, -87.0, value < -87.0);
    let x = select(low, 88.0, low > 88.0);
    let n = floor(x * 1.442695 + 0.5);
    let q = x - n * 0.6933594;
    let r = q - n * -0.00021219444;
    var p = 0.0001984127 * r + 0.0013888889;
    p = p * r + 0.008333334;
    p = p * r + 0.041666668;
    p = p * r + 0.16666667;
    p = p * r + 0.5;
    p = p * r * r + r + 1.0;
    return p * power_of_two(i32(n));
}

fn exprel_of(x: f32) -> f32 {
    var p = 2.7557319e-06 * x + 2.4801588e-05;
    p = p * x + 0.0001984127;
    p = p * x + 0.0013888889;
    p = p * x + 0.008333334;
    p = p * x + 0.041666668;
    p = p * x + 0.16666667;
    p = p * x + 0.5;
    let near = p * x + 1.0;
    let small = abs(x) < 0.5;
    let safe = select(x, 1.0, small);
    let far = (exp_of(safe) - 1.0) * recip_of(safe);
    return select(far, near, small);
}

fn expm1_of(x: f32) -> f32 {
    return select(exp_of(x) - 1.0, x * exprel_of(x), abs(x) < 0.5);
}

fn log_of(x: f32) -> f32 {
    let bits = bitcast<u32>(x);
    let shifted = bits - 0x3F3504F3u;
    let e = bitcast<i32>(shifted) >> 23u;
    let m = bitcast<f32>(bits - (bitcast<u32>(e) << 23u));
    let f = m - 1.0;
    let s = f * recip_of(2.0 + f);
    let z = s * s;
    var p = 0.18181819 * z + 0.22222222;
    p = p * z + 0.2857143;
    p = p * z + 0.4;
    p = p * z + 0.6666667;
    let tail = p * z * s;
    let k = f32(e);
    return k * 0.6933594 + (2.0 * s + (tail + k * -0.00021219444));
}

fn tanh_of(value: f32) -> f32 {
    let low = select(value, -10.0, value < -10.0);
    let x = select(low, 10.0, low > 10.0);
    let m = expm1_of(x + x);
    return m * recip_of(m + 2.0);
}

fn pow_of(x: f32, y: f32) -> f32 {
    return exp_of(y * log_of(x));
}

fn cos_turns(v: f32) -> f32 {
    let a = abs(v - 0.5);
    let flip = a < 0.25;
    let b = select(0.5 - a, a, flip);
    let x = b * 6.2831855;
    let z = x * x;
    var p = 2.0876758e-09 * z - 2.755732e-07;
    p = p * z + 2.4801588e-05;
    p = p * z - 0.0013888889;
    p = p * z + 0.041666664;
    p = p * z - 0.5;
    let c = p * z + 1.0;
    return select(c, -c, flip);
}

fn truth(x: bool) -> f32 {
    return select(0.0, 1.0, x);
}
