//! The Hodgkin-Huxley cell of COBAHH (`hh_cond_exp_traub`), ten Runge-Kutta substeps, as a loop written by hand.

use synfire::base::math::{exp, exprel};

use super::hand::{ByHand, NEURONS, STEPS};

/// Neurons whose columns stay in the first cache for all substeps.
const BLOCK: usize = 64;

pub struct Cobahh {
    /// V_m, the gates m, h, n, the conductances.
    states: [Vec<f32>; 6],
    refractory: Vec<f32>,
    sums: Vec<i32>,
    spikes: Vec<(u64, u32)>,
}

/// mV, nS, pA, pF, ms.
const I_E: f32 = 500.0;

#[inline(always)]
fn slope([v_m, m, h, n, exc, inh]: [f32; 6]) -> [f32; 6] {
    let v = v_m + 63.0;
    let alpha_m = 1.28 / exprel((13.0 - v) * 0.25);
    let beta_m = 1.4 / exprel((v - 40.0) * 0.2);
    let alpha_h = 0.128 * exp((17.0 - v) * (1.0 / 18.0));
    let beta_h = 4.0 / (1.0 + exp((40.0 - v) * 0.2));
    let alpha_n = 0.16 / exprel((15.0 - v) * 0.2);
    let beta_n = 0.5 * exp((10.0 - v) * 0.025);
    let sodium = 20_000.0 * m * m * m * h * (50.0 - v_m);
    let potassium = 6000.0 * n * n * n * n * (-90.0 - v_m);
    let currents = sodium + potassium + 10.0 * (-60.0 - v_m) + exc * (0.0 - v_m) + inh * (-80.0 - v_m) + I_E;
    [
        currents * (1.0 / 200.0),
        alpha_m - (alpha_m + beta_m) * m,
        alpha_h - (alpha_h + beta_h) * h,
        alpha_n - (alpha_n + beta_n) * n,
        exc * -0.2,
        inh * -0.1,
    ]
}

#[inline(always)]
fn moved(x: [f32; 6], by: f32, slope: [f32; 6]) -> [f32; 6] {
    std::array::from_fn(|k| x[k] + by * slope[k])
}

#[inline(always)]
fn runge_kutta(x: [f32; 6], h: f32) -> [f32; 6] {
    let a = slope(x);
    let b = slope(moved(x, 0.5 * h, a));
    let c = slope(moved(x, 0.5 * h, b));
    let d = slope(moved(x, h, c));
    std::array::from_fn(|k| x[k] + h * (1.0 / 6.0) * (a[k] + 2.0 * b[k] + 2.0 * c[k] + d[k]))
}

impl ByHand for Cobahh {
    const NAME: &'static str = "hh_cond_exp_traub";
    const SCENE: &'static str = r#"format = 1
[run]
dt = "0.1 ms"
duration = "10 s"
[populations.cells]
model = "hh_cond_exp_traub"
size = 8192
parameters.I_e = "500 pA"
initial.V_m = "uniform(-70 mV, -60 mV)"
initial.Act_m = "0.02"
initial.Inact_h = "0.9"
initial.Act_n = "0.1"
"#;

    fn new(voltages: &[f32]) -> Self {
        let filled = |x: f32| vec![x; NEURONS];
        Self {
            states: [voltages.to_vec(), filled(0.02), filled(0.9), filled(0.1), filled(0.0), filled(0.0)],
            refractory: filled(0.0),
            sums: vec![0; NEURONS * 2 * STEPS as usize],
            spikes: Vec::new(),
        }
    }

    #[inline(always)]
    fn run(&mut self, steps: u64) {
        let quantum = 1.0f32 / 65536.0;
        for start in (0..NEURONS).step_by(BLOCK) {
            let end = start + BLOCK;
            let [v, m, h, n, exc, inh] = &mut self.states;
            let (v, m, h) = (&mut v[start..end], &mut m[start..end], &mut h[start..end]);
            let (n, exc, inh) = (&mut n[start..end], &mut exc[start..end], &mut inh[start..end]);
            let refractory = &mut self.refractory[start..end];
            let (mut before, mut fired) = ([0.0f32; BLOCK], [0u32; BLOCK]);
            for step in 0..steps {
                before.copy_from_slice(v);
                for _ in 0..10 {
                    for i in 0..BLOCK {
                        [v[i], m[i], h[i], n[i], exc[i], inh[i]] = runge_kutta([v[i], m[i], h[i], n[i], exc[i], inh[i]], 0.01);
                    }
                }
                let (to_exc, to_inh) = self.sums[step as usize * 2 * NEURONS..][..2 * NEURONS].split_at_mut(NEURONS);
                let (to_exc, to_inh) = (&mut to_exc[start..end], &mut to_inh[start..end]);
                let mut any = 0;
                for i in 0..BLOCK {
                    exc[i] += to_exc[i] as f32 * quantum;
                    inh[i] += to_inh[i] as f32 * quantum;
                    (to_exc[i], to_inh[i]) = (0, 0);
                    let free = refractory[i] == 0.0;
                    let fires = free & (v[i] >= -33.0) & (v[i] < before[i]);
                    let left = if free { 0.0 } else { refractory[i] - 1.0 };
                    refractory[i] = if fires { 20.0 } else { left };
                    fired[i] = u32::from(fires);
                    any |= u32::from(fires);
                }
                if any != 0 {
                    (0..BLOCK).filter(|i| fired[*i] != 0).for_each(|i| self.spikes.push((step, (start + i) as u32)));
                }
            }
        }
    }

    fn voltages(&self) -> &[f32] {
        &self.states[0]
    }

    fn spikes(&self) -> u64 {
        self.spikes.len() as u64
    }
}
