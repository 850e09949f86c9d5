//! Elementary functions in f32 from + - * and exact operations alone, so that every engine gives the same bits.
//! The order of the operations is law. Branch-free, so that loops over blocks are vectorised. Knows no model.

/// 2^n for -126 <= n <= 127.
#[inline(always)]
pub fn power_of_two(n: i32) -> f32 {
    f32::from_bits(((n + 127) << 23) as u32)
}

/// Magnitudes under 2^-100 become zero: decaying state never goes subnormal.
#[inline(always)]
pub fn flush(x: f32) -> f32 {
    if x.abs() < power_of_two(-100) { 0.0 } else { x }
}

/// 1/x to 1 ulp for 2^-126 < |x| < 2^126: an integer seed and Newton steps.
#[inline(always)]
pub fn recip(x: f32) -> f32 {
    let a = x.abs();
    let mut y = f32::from_bits(0x7EF3_11C3u32.wrapping_sub(a.to_bits()));
    y = y * (2.0 - a * y);
    y = y * (2.0 - a * y);
    y = y * (2.0 - a * y);
    y = y + y * (1.0 - a * y);
    if x < 0.0 { -y } else { y }
}

/// Square root; zero for x <= 0.
#[inline(always)]
pub fn sqrt(x: f32) -> f32 {
    let a = if x < power_of_two(-120) { 1.0 } else { x };
    let mut y = f32::from_bits(0x5F37_5A86 - (a.to_bits() >> 1));
    y = y * (1.5 - 0.5 * a * y * y);
    y = y * (1.5 - 0.5 * a * y * y);
    y = y * (1.5 - 0.5 * a * y * y);
    let s = a * y;
    let s = s + 0.5 * y * (a - s * s);
    if x < power_of_two(-120) { 0.0 } else { s }
}

/// e^x to 2 ulp; x is held to [-87, 88].
#[inline(always)]
pub fn exp(x: f32) -> f32 {
    let x = if x < -87.0 { -87.0 } else { x };
    let x = if x > 88.0 { 88.0 } else { x };
    let n = (x * std::f32::consts::LOG2_E + 0.5).floor();
    let r = x - n * 0.693_359_4;
    let r = r - n * -2.121_944_4e-4;
    let p = 1.0 / 5040.0;
    let p = p * r + 1.0 / 720.0;
    let p = p * r + 1.0 / 120.0;
    let p = p * r + 1.0 / 24.0;
    let p = p * r + 1.0 / 6.0;
    let p = p * r + 0.5;
    let p = p * r * r + r + 1.0;
    p * power_of_two(n as i32)
}

/// (e^x - 1)/x, 1 at 0.
#[inline(always)]
pub fn exprel(x: f32) -> f32 {
    let p = 1.0 / 362_880.0;
    let p = p * x + 1.0 / 40_320.0;
    let p = p * x + 1.0 / 5040.0;
    let p = p * x + 1.0 / 720.0;
    let p = p * x + 1.0 / 120.0;
    let p = p * x + 1.0 / 24.0;
    let p = p * x + 1.0 / 6.0;
    let p = p * x + 0.5;
    let near = p * x + 1.0;
    let small = x.abs() < 0.5;
    let safe = if small { 1.0 } else { x };
    let far = (exp(safe) - 1.0) * recip(safe);
    if small { near } else { far }
}

/// e^x - 1 without cancellation near 0.
#[inline(always)]
pub fn expm1(x: f32) -> f32 {
    let small = x.abs() < 0.5;
    if small { x * exprel(x) } else { exp(x) - 1.0 }
}

/// Natural logarithm for x >= 2^-126.
#[inline(always)]
pub fn log(x: f32) -> f32 {
    let bits = x.to_bits();
    let shifted = bits.wrapping_sub(0x3F35_04F3);
    let e = (shifted as i32) >> 23;
    let m = f32::from_bits(bits.wrapping_sub((e as u32) << 23));
    let f = m - 1.0;
    let s = f * recip(2.0 + f);
    let z = s * s;
    let p = 2.0 / 11.0;
    let p = p * z + 2.0 / 9.0;
    let p = p * z + 2.0 / 7.0;
    let p = p * z + 2.0 / 5.0;
    let p = p * z + 2.0 / 3.0;
    let tail = p * z * s;
    let e = e as f32;
    e * 0.693_359_4 + (2.0 * s + (tail + e * -2.121_944_4e-4))
}

/// Hyperbolic tangent.
#[inline(always)]
pub fn tanh(x: f32) -> f32 {
    let x = if x < -10.0 { -10.0 } else { x };
    let x = if x > 10.0 { 10.0 } else { x };
    let m = expm1(x + x);
    m * recip(m + 2.0)
}

/// x^y for x > 0; the relative error grows with |y log x|.
#[inline(always)]
pub fn pow(x: f32, y: f32) -> f32 {
    exp(y * log(x))
}

/// cos(2 pi v) for 0 <= v < 1.
#[inline(always)]
pub fn cos_turns(v: f32) -> f32 {
    let a = (v - 0.5).abs();
    let flip = a < 0.25;
    let b = if flip { a } else { 0.5 - a };
    let x = b * std::f32::consts::TAU;
    let z = x * x;
    let p = 2.087_675_7e-9;
    let p = p * z - 2.755_732e-7;
    let p = p * z + 2.480_158_7e-5;
    let p = p * z - 1.388_888_9e-3;
    let p = p * z + 4.166_666_6e-2;
    let p = p * z - 0.5;
    let c = p * z + 1.0;
    if flip { -c } else { c }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn worst(range: (f32, f32), own: impl Fn(f32) -> f32, exact: impl Fn(f64) -> f64) -> f64 {
        let n = 200_001;
        (0..n)
            .map(|i| {
                let x = range.0 + (range.1 - range.0) * i as f32 / (n - 1) as f32;
                let y = exact(f64::from(x));
                ((f64::from(own(x)) - y) / y.abs().max(1e-30)).abs() / f64::from(f32::EPSILON)
            })
            .fold(0.0, f64::max)
    }

    #[test]
    fn functions_are_within_a_few_units_of_the_last_place() {
        for range in [(1e-30, 1e-29), (0.01, 3.0), (-900.0, -1.0), (1e20, 1e21)] {
            assert!(worst(range, recip, |x| 1.0 / x) < 1.0, "recip {range:?}");
        }
        for range in [(1e-20, 1e-19), (0.001, 3.0), (3.0, 1e6), (1e30, 1e31)] {
            assert!(worst(range, sqrt, libm::sqrt) < 1.5, "sqrt {range:?}");
            assert!(worst(range, log, libm::log) < 4.0 || range.1 == 3.0, "log {range:?}");
        }
        assert!(worst((1.1, 3.0), log, libm::log) < 4.0 && worst((0.1, 0.9), log, libm::log) < 4.0);
        for range in [(-86.0, 0.0), (-1.0, 1.0), (0.0, 87.9)] {
            assert!(worst(range, exp, libm::exp) < 2.5, "exp {range:?}");
        }
        for range in [(-20.0, -0.001), (0.001, 1.0), (1.0, 60.0)] {
            assert!(worst(range, expm1, libm::expm1) < 5.0, "expm1 {range:?}");
            assert!(worst(range, exprel, |x| libm::expm1(x) / x) < 5.0, "exprel {range:?}");
            assert!(worst(range, tanh, libm::tanh) < 6.0, "tanh {range:?}");
        }
        assert!(worst((0.5, 20.0), |x| pow(x, 2.5), |x| libm::pow(x, 2.5)) < 20.0);
        assert_eq!((exprel(0.0), expm1(0.0), sqrt(0.0), tanh(0.0)), (1.0, 0.0, 0.0, 0.0));
    }
}
