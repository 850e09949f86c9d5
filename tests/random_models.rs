//! Random models, CPU = GPU to the bit: random expressions over two states, an input and constants, integrated by random
//! methods, with noise, draws, functions, events, pairs of f32 and every form of threshold. What the driver would regroup or contract shows here.
#![cfg(feature = "gpu")]

mod common;

use std::fmt::Write;
use std::sync::Arc;

use common::{device, network_of};
use synfire::base::rng::Stream;
use synfire::engine::cpu::Cpu;
use synfire::engine::gpu::{Device, Forced, Gpu};
use synfire::plan::plan;

/// What a model is made to use.
#[derive(Clone, Copy)]
enum Kind {
    Plain,
    Pairs,
    Substeps,
    Noise,
}

impl Kind {
    fn all() -> [Kind; 4] {
        [Kind::Plain, Kind::Pairs, Kind::Substeps, Kind::Noise]
    }
}

/// A source of choices, reproducible from its number.
struct Dice {
    stream: Stream,
    count: u32,
}

impl Dice {
    fn below(&mut self, n: u32) -> u32 {
        self.count += 1;
        self.stream.block([self.count, 0, 0, 0])[0] % n
    }

    fn constant(&mut self) -> String {
        format!("{:.3}", 0.05 + f64::from(self.below(3000)) / 1000.0)
    }

    /// An expression whose values stay of moderate size for arguments of moderate size.
    fn expression(&mut self, depth: u32) -> String {
        if depth == 0 {
            return match self.below(6) {
                0 => "x".into(),
                1 => "y".into(),
                2 => "a".into(),
                3 => "b".into(),
                4 => "drive".into(),
                _ => self.constant(),
            };
        }
        let kind = self.below(17);
        let e = self.expression(depth - 1);
        let f = self.expression(depth - 1);
        match kind {
            0..=2 => format!("({e} + {f})"),
            3 | 4 => format!("({e} - {f})"),
            5..=7 => format!("({e} * {f})"),
            8 => format!("({e} / (1.1 + {f}*{f}))"),
            9 => format!("exp(-abs({e}))"),
            10 => format!("sqrt(0.1 + abs({e}))"),
            11 => format!("log(1.2 + abs({e}))"),
            12 => format!("tanh({e})"),
            13 => format!("min({e}, {f})"),
            14 => format!("max({e}, -({f}))"),
            15 => format!("exprel(clip({e}, -3, 3))"),
            _ => format!("clip({e}, -2, 2)"),
        }
    }
}

fn model(dice: &mut Dice, i: usize, out: &mut String) {
    let kind = Kind::all()[i % 4];
    let (fx, fy) = (dice.expression(3), dice.expression(3));
    let level = dice.constant();
    let threshold = match dice.below(5) {
        0 => format!("rising(x + 0.1*y, {level})"),
        1 => format!("peak(x, {level})"),
        2 => format!("escape(0.3/ms*exp(min(x - {level}, 2)))"),
        _ => format!("x >= {level}"),
    };
    let (settings, noise, fx) = match kind {
        Kind::Plain => (["method = 'euler'", "method = 'rk4'"][dice.below(2) as usize].to_string(), "", fx),
        Kind::Pairs => ("method = 'rk4'\nprecision = 'pairs'\nrefractory = { period = '0.4 ms', clamp = ['y'] }".into(), "", fx),
        // The threshold is looked for in every substep, and the one that crosses is run again in finer ones.
        Kind::Substeps => ("method = 'rk4'\nsubsteps = 3\nthreshold_each = 'substep'\nrefractory = { period = '0.3 ms' }".into(), "", fx),
        // Nonlinear: Euler and Maruyama, three substeps; or linear, with the exact covariance.
        Kind::Noise if i % 8 == 3 => ("substeps = 3\nmethod = 'euler'".into(), "+ (0.3 + 0.1*y)*sqrt(1/tau)*xi + 0.2*sqrt(1/tau)*xi_2", fx),
        Kind::Noise => ("refractory = { period = '0.3 ms', clamp = ['x'] }".into(), "+ 0.3*sqrt(1/tau)*xi", "0.4*y + a".into()),
    };
    let fy = if matches!(kind, Kind::Noise) && i % 8 != 3 { "0.5*x".into() } else { fy };
    let bound = |f: &str| if matches!(kind, Kind::Noise) && i % 8 != 3 { f.to_string() } else { format!("clip({f}, -40, 40)") };
    let (fx, fy) = (bound(&fx), bound(&fy));
    let _ = write!(
        out,
        r#"
[models.m{i}]
{settings}
functions = """
soft(u) = tanh(u)/(1 + a)
mixed(u, v) = soft(u)*v + (u > v ? 0.1 : soft(v - u))
"""
equations = """
dx/dt = ({fx} - x + drive)/tau {noise}
dy/dt = ({fy} - y)/(3*tau)
ddrive/dt = -drive/tau
"""
threshold = "{threshold}"
reset = "jump = mixed(x, y); x = x - {reset} - 0.01*jump; y += 0.3*b*uniform(0.5, 1)"
events.kick = {{ condition = "rising(y, 0.4) and not (x > 2)", action = "drive += normal(0.1, 0.02)" }}
events.fence = {{ condition = "abs(x) > 30", action = "x = 0.1; y = 0.2" }}
[models.m{i}.parameters]
a = "{a}"
b = "0.7"
tau = "2 ms"
[models.m{i}.state]
x = "0"
y = "0.1"
drive = "0"
[models.m{i}.receptors]
exc = "drive += w"
[populations.p{i}]
model = "m{i}"
size = 64
initial.x = "normal(0, 1)"
initial.y = "uniform(-1, 1)"
parameters.b = "uniform(0.1, 1.5)"
"#,
        reset = dice.constant(),
        a = dice.constant(),
    );
}

fn scene(number: u32, models: usize) -> String {
    let mut dice = Dice { stream: Stream::new(77, [99, number]), count: 0 };
    let mut text = String::from("format = 1\n[run]\ndt = \"0.1 ms\"\nduration = \"20 ms\"\n");
    (0..models).for_each(|i| model(&mut dice, i, &mut text));
    let names: Vec<String> = (0..models).map(|i| format!("\"p{i}\"")).collect();
    let names = names.join(", ");
    text += &format!("[[stimuli]]\nkind = \"poisson\"\nto = [{names}]\nrate = \"2 kHz\"\nreceptor = \"exc\"\nweight = \"0.7\"\n");
    text += &format!(
        "[[projections]]\nfrom = [{names}]\nto = [{names}]\nrule = \"fixed_probability\"\np = 0.05\nreceptor = \"exc\"\nweight = \"uniform(-0.4, 0.6)\"\ndelay = \"uniform(0.3 ms, 2 ms)\"\n"
    );
    text
}

fn compare(device: &Arc<Device>, number: u32) -> usize {
    let text = scene(number, 8);
    let plan = Arc::new(plan(&network_of(&text)).unwrap());
    let mut cpu = Cpu::new(plan.clone()).unwrap();
    let mut gpu = Gpu::new(plan.clone(), device.clone(), Forced::default()).unwrap();
    let (a, b) = (cpu.advance(200).unwrap(), gpu.advance(200).unwrap());
    for (p, population) in plan.populations.iter().enumerate() {
        for v in 0..population.states.len() {
            let there = gpu.state(p, v).unwrap();
            let first = cpu.state(p, v).iter().zip(&there).position(|(a, b)| a != b);
            assert!(first.is_none(), "random {number}: {} of p{p} differs first in neuron {first:?}\n{text}", population.states[v]);
        }
    }
    assert!(a.spikes == b.spikes, "random {number}: spikes differ");
    a.spikes.len()
}

#[test]
fn random_models_give_the_same_bits() {
    let Some(device) = device() else { return };
    let spikes: usize = (0..4).map(|number| compare(device, number)).sum();
    assert!(spikes > 2500, "only {spikes} spikes");
}
