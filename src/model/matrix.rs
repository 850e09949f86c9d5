//! The exponential of a small square matrix in f64: scaling and squaring with a diagonal Pade approximant. Knows no models.

/// `exp(a)` for a row-major `n` by `n` matrix; not-a-number where `a` is not finite.
pub fn exponential(a: &[f64], n: usize) -> Vec<f64> {
    let norm = (0..n).map(|i| a[i * n..(i + 1) * n].iter().map(|x| x.abs()).sum::<f64>()).fold(0.0, f64::max);
    if a.iter().any(|x| !x.is_finite()) || norm > 1e100 {
        return vec![f64::NAN; n * n];
    }
    let squarings = if norm > 0.25 { (norm / 0.25).log2().ceil() as i32 } else { 0 };
    let scaled: Vec<f64> = a.iter().map(|x| x * 2f64.powi(-squarings)).collect();
    const DEGREE: usize = 7;
    let mut power = identity(n);
    let (mut over, mut under) = (identity(n), identity(n));
    let mut c = 1.0;
    for k in 1..=DEGREE {
        c *= (DEGREE - k + 1) as f64 / (k * (2 * DEGREE - k + 1)) as f64;
        power = product(&power, &scaled, n);
        let sign = if k % 2 == 0 { 1.0 } else { -1.0 };
        for ((o, u), p) in over.iter_mut().zip(&mut under).zip(&power) {
            *o += c * p;
            *u += sign * c * p;
        }
    }
    let mut out = solve(under, over, n);
    for _ in 0..squarings {
        out = product(&out, &out, n);
    }
    out
}

fn identity(n: usize) -> Vec<f64> {
    (0..n * n).map(|k| if k / n == k % n { 1.0 } else { 0.0 }).collect()
}

fn product(a: &[f64], b: &[f64], n: usize) -> Vec<f64> {
    (0..n * n).map(|k| (0..n).map(|l| a[k / n * n + l] * b[l * n + k % n]).sum()).collect()
}

/// `a^-1 b` by elimination with pivoting; `a` is near the identity here.
fn solve(mut a: Vec<f64>, mut b: Vec<f64>, n: usize) -> Vec<f64> {
    for column in 0..n {
        let pivot = (column..n).fold(column, |best, r| if a[r * n + column].abs() > a[best * n + column].abs() { r } else { best });
        for k in 0..n {
            a.swap(column * n + k, pivot * n + k);
            b.swap(column * n + k, pivot * n + k);
        }
        for row in (0..n).filter(|&r| r != column) {
            let factor = a[row * n + column] / a[column * n + column];
            if factor != 0.0 {
                for k in 0..n {
                    a[row * n + k] -= factor * a[column * n + k];
                    b[row * n + k] -= factor * b[column * n + k];
                }
            }
        }
    }
    (0..n * n).map(|k| b[k] / a[k / n * n + k / n]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nilpotent_a_rotation_and_a_stiff_decay() {
        assert_eq!(exponential(&[0.0, 3.0, 0.0, 0.0], 2), vec![1.0, 3.0, 0.0, 1.0]);
        let turned = exponential(&[0.0, -2.0, 2.0, 0.0], 2);
        assert!((turned[0] - 2f64.cos()).abs() < 1e-14 && (turned[2] - 2f64.sin()).abs() < 1e-14);
        assert!((exponential(&[-30.0], 1)[0] / (-30f64).exp() - 1.0).abs() < 1e-12);
    }
}
