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

/// The covariance that noise of strength `g` (rows by noises) builds up in dx = a x + g xi over one unit of time: the integral of
/// exp(a s) g g' exp(a' s). By doubling from a piece so short that three Gauss points are exact.
pub fn covariance(a: &[f64], g: &[Vec<f64>], n: usize) -> Vec<f64> {
    let norm = (0..n).map(|i| a[i * n..(i + 1) * n].iter().map(|x| x.abs()).sum::<f64>()).fold(0.0, f64::max);
    if a.iter().chain(g.iter().flatten()).any(|x| !x.is_finite()) || norm > 1e100 {
        return vec![f64::NAN; n * n];
    }
    let halvings = if norm > 0.02 { (norm / 0.02).log2().ceil() as i32 } else { 0 };
    let piece = 2f64.powi(-halvings);
    let scaled = |by: f64| a.iter().map(|x| x * by).collect::<Vec<_>>();
    let source: Vec<f64> = (0..n * n).map(|k| g[k / n].iter().zip(&g[k % n]).map(|(x, y)| x * y).sum()).collect();
    let around = |e: &[f64], q: &[f64]| product(&product(e, q, n), &transposed(e, n), n);
    let mut out = vec![0.0; n * n];
    let gap = libm::sqrt(0.6) / 2.0;
    for (at, weight) in [(0.5 - gap, 5.0 / 18.0), (0.5, 8.0 / 18.0), (0.5 + gap, 5.0 / 18.0)] {
        let term = around(&exponential(&scaled(piece * at), n), &source);
        out.iter_mut().zip(term).for_each(|(o, t)| *o += piece * weight * t);
    }
    let mut e = exponential(&scaled(piece), n);
    for _ in 0..halvings {
        let later = around(&e, &out);
        out.iter_mut().zip(later).for_each(|(o, t)| *o += t);
        e = product(&e, &e, n);
    }
    out
}

/// The lower triangular root of a covariance (Cholesky); a direction without variance gives a column of zeros.
pub fn root(q: Vec<f64>, n: usize) -> Vec<f64> {
    let mut l = vec![0.0; n * n];
    for j in 0..n {
        let left = q[j * n + j] - (0..j).map(|k| l[j * n + k] * l[j * n + k]).sum::<f64>();
        if left.is_nan() {
            return vec![f64::NAN; n * n];
        }
        if left <= 1e-14 * q[j * n + j] {
            continue;
        }
        let pivot = libm::sqrt(left);
        for i in j..n {
            let rest = q[i * n + j] - (0..j).map(|k| l[i * n + k] * l[j * n + k]).sum::<f64>();
            l[i * n + j] = rest / pivot;
        }
    }
    l
}

fn transposed(a: &[f64], n: usize) -> Vec<f64> {
    (0..n * n).map(|k| a[k % n * n + k / n]).collect()
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

    #[test]
    fn noise_builds_up_the_known_covariances() {
        // A decay: g^2 (1 - exp(-2k)) / 2k. A path and its integral: 1, 1/2, 1/3.
        let q = covariance(&[-3.0], &[vec![2.0, 1.0]], 1)[0];
        assert!((q - 5.0 * (1.0 - (-6f64).exp()) / 6.0).abs() < 1e-12, "{q}");
        let q = covariance(&[0.0, 0.0, 1.0, 0.0], &[vec![1.0], vec![0.0]], 2);
        assert!(q.iter().zip([1.0, 0.5, 0.5, 1.0 / 3.0]).all(|(a, b)| (a - b).abs() < 1e-13), "{q:?}");
        let l = root(q.clone(), 2);
        let back = product(&l, &transposed(&l, 2), 2);
        assert!(l[1] == 0.0 && back.iter().zip(q).all(|(a, b)| (a - b).abs() < 1e-13));
        assert_eq!(root(vec![0.0, 0.0, 0.0, 4.0], 2), [0.0, 0.0, 0.0, 2.0]);
    }
}
