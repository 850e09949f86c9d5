//! The leaky cell with exponential currents (`iaf_psc_exp`), exact integration, as a loop written by hand.

use super::hand::{ByHand, NEURONS, STEPS};

/// Neurons whose columns stay in the first cache for all steps of a batch.
const BLOCK: usize = 512;

pub struct Lif {
    v: Vec<f32>,
    exc: Vec<f32>,
    inh: Vec<f32>,
    refractory: Vec<f32>,
    /// Inputs by step, receptor and neuron.
    sums: Vec<i32>,
    fired: [u32; BLOCK],
    spikes: Vec<(u64, u32)>,
}

impl ByHand for Lif {
    const NAME: &'static str = "iaf_psc_exp";
    const SCENE: &'static str = r#"format = 1
[run]
dt = "0.1 ms"
duration = "10 s"
[populations.cells]
model = "iaf_psc_exp"
size = 8192
parameters.I_e = "400 pA"
initial.V_m = "uniform(-70 mV, -55 mV)"
"#;

    fn new(voltages: &[f32]) -> Self {
        let zeros = || vec![0.0; NEURONS];
        Self {
            v: voltages.to_vec(),
            exc: zeros(),
            inh: zeros(),
            refractory: zeros(),
            sums: vec![0; NEURONS * 2 * STEPS as usize],
            fired: [0; BLOCK],
            spikes: Vec::new(),
        }
    }

    #[inline(always)]
    fn run(&mut self, steps: u64) {
        let (dt, tau_m, tau_s, c_m, e_l, v_th) = (0.1f64, 10.0f64, 2.0f64, 250.0f64, -70.0f64, -55.0f64);
        let (leak, decay) = ((-dt / tau_m).exp(), (-dt / tau_s).exp());
        let from_current = ((decay - leak) * tau_m * tau_s / (tau_s - tau_m) / c_m) as f32;
        let constant = ((1.0 - leak) * (e_l + 400.0 * tau_m / c_m)) as f32;
        let (leak, decay, v_th, v_reset, quantum) = (leak as f32, decay as f32, v_th as f32, e_l as f32, 1.0f32 / 65536.0);
        for start in (0..NEURONS).step_by(BLOCK) {
            let end = start + BLOCK;
            let (v, exc, inh) = (&mut self.v[start..end], &mut self.exc[start..end], &mut self.inh[start..end]);
            let refractory = &mut self.refractory[start..end];
            for step in 0..steps {
                let (to_exc, to_inh) = self.sums[step as usize * 2 * NEURONS..][..2 * NEURONS].split_at_mut(NEURONS);
                let (to_exc, to_inh) = (&mut to_exc[start..end], &mut to_inh[start..end]);
                let mut any = 0;
                for i in 0..BLOCK {
                    let free = refractory[i] == 0.0;
                    let moved = leak * v[i] + from_current * (exc[i] + inh[i]) + constant;
                    let now = if free { moved } else { v[i] };
                    exc[i] = decay * exc[i] + to_exc[i] as f32 * quantum;
                    inh[i] = decay * inh[i] + to_inh[i] as f32 * quantum;
                    (to_exc[i], to_inh[i]) = (0, 0);
                    let fires = free & (now >= v_th);
                    v[i] = if fires { v_reset } else { now };
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
        &self.v
    }

    fn spikes(&self) -> u64 {
        self.spikes.len() as u64
    }
}
