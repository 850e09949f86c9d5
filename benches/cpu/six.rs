//! A model of six states as a user may write it (adaptation, a slow potassium gate, calcium, two conductances), exponential
//! Euler, as a loop written by hand.

use synfire::base::math::exp;

use super::hand::{ByHand, NEURONS, STEPS};

/// Neurons whose columns stay in the first cache for all steps of a batch.
const BLOCK: usize = 256;

pub struct Six {
    /// V, w, m, ca, the conductances.
    states: [Vec<f32>; 6],
    refractory: Vec<f32>,
    sums: Vec<i32>,
    fired: [u32; BLOCK],
    spikes: Vec<(u64, u32)>,
}

impl ByHand for Six {
    const NAME: &'static str = "user model of six states";
    const SCENE: &'static str = r#"format = 1
[run]
dt = "0.1 ms"
duration = "10 s"
[models.six]
method = "exponential_euler"
equations = """
m_inf = 1/(1 + exp((V_half - V)/k_m))
dV/dt = (g_L*(E_L - V) + g_e*(E_e - V) + g_i*(E_i - V) + (g_M*m + g_C*ca)*(E_K - V) - w + I_e)/C
dw/dt = (a*(V - E_L) - w)/tau_w
dm/dt = (m_inf - m)/tau_g
dca/dt = -ca/tau_ca
dg_e/dt = -g_e/tau_e
dg_i/dt = -g_i/tau_i
"""
threshold = "V >= V_th"
reset = """
V = V_reset
w += b
ca += 1
"""
refractory = { period = "t_ref", clamp = ["V"] }
[models.six.parameters]
C = "200 pF"
g_L = "10 nS"
g_M = "20 nS"
g_C = "0.5 nS"
E_L = "-65 mV"
E_e = "0 mV"
E_i = "-80 mV"
E_K = "-90 mV"
V_half = "-40 mV"
k_m = "6 mV"
V_th = "-45 mV"
V_reset = "-60 mV"
t_ref = "2 ms"
a = "1 nS"
b = "10 pA"
tau_w = "100 ms"
tau_g = "40 ms"
tau_ca = "200 ms"
tau_e = "5 ms"
tau_i = "10 ms"
I_e = "400 pA"
[models.six.state]
V = "E_L"
w = "0 pA"
m = "0"
ca = "0"
g_e = "0 nS"
g_i = "0 nS"
[models.six.receptors]
exc = "g_e += w"
inh = "g_i += w"
[populations.cells]
model = "six"
size = 8192
initial.V = "uniform(-65 mV, -45 mV)"
"#;

    fn new(voltages: &[f32]) -> Self {
        let zeros = || vec![0.0; NEURONS];
        Self {
            states: [voltages.to_vec(), zeros(), zeros(), zeros(), zeros(), zeros()],
            refractory: zeros(),
            sums: vec![0; NEURONS * 2 * STEPS as usize],
            fired: [0; BLOCK],
            spikes: Vec::new(),
        }
    }

    #[inline(always)]
    fn run(&mut self, steps: u64) {
        let (dt, quantum) = (0.1f32, 1.0f32 / 65536.0);
        let decay = |tau: f64| (-0.1 / tau).exp() as f32;
        let (decay_w, decay_m, decay_ca, decay_e, decay_i) = (decay(100.0), decay(40.0), decay(200.0), decay(5.0), decay(10.0));
        for start in (0..NEURONS).step_by(BLOCK) {
            let end = start + BLOCK;
            let [v, w, m, ca, exc, inh] = &mut self.states;
            let (v, w, m) = (&mut v[start..end], &mut w[start..end], &mut m[start..end]);
            let (ca, exc, inh) = (&mut ca[start..end], &mut exc[start..end], &mut inh[start..end]);
            let refractory = &mut self.refractory[start..end];
            for step in 0..steps {
                let (to_exc, to_inh) = self.sums[step as usize * 2 * NEURONS..][..2 * NEURONS].split_at_mut(NEURONS);
                let (to_exc, to_inh) = (&mut to_exc[start..end], &mut to_inh[start..end]);
                let mut any = 0;
                for i in 0..BLOCK {
                    let free = refractory[i] == 0.0;
                    let slow = 20.0 * m[i] + 0.5 * ca[i];
                    let g = 10.0 + exc[i] + inh[i] + slow;
                    let driven = 10.0 * -65.0 + inh[i] * -80.0 + slow * -90.0 - w[i] + 400.0;
                    let rest = driven / g;
                    let moved = rest + (v[i] - rest) * exp(g * (-dt / 200.0));
                    let now = if free { moved } else { v[i] };
                    let w_rest = v[i] + 65.0;
                    let w_now = w_rest + (w[i] - w_rest) * decay_w;
                    let m_rest = 1.0 / (1.0 + exp((-40.0 - v[i]) * (1.0 / 6.0)));
                    m[i] = m_rest + (m[i] - m_rest) * decay_m;
                    let ca_now = ca[i] * decay_ca;
                    exc[i] = exc[i] * decay_e + to_exc[i] as f32 * quantum;
                    inh[i] = inh[i] * decay_i + to_inh[i] as f32 * quantum;
                    (to_exc[i], to_inh[i]) = (0, 0);
                    let fires = free & (now >= -45.0);
                    v[i] = if fires { -60.0 } else { now };
                    w[i] = if fires { w_now + 10.0 } else { w_now };
                    ca[i] = if fires { ca_now + 1.0 } else { ca_now };
                    let left = if free { 0.0 } else { refractory[i] - 1.0 };
                    refractory[i] = if fires { 20.0 } else { left };
                    self.fired[i] = u32::from(fires);
                    any |= u32::from(fires);
                }
                if any != 0 {
                    (0..BLOCK).filter(|i| self.fired[*i] != 0).for_each(|i| self.spikes.push((step, (start + i) as u32)));
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
