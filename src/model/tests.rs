//! Models run by a small interpreter: closed forms, step order, refractoriness, NEST's spike times.

use std::sync::Arc;

use super::program::{Op, Program, Stmt};
use super::*;
use crate::base::problem::Problem;
use crate::base::units::Quantity;

fn value(item: &toml_edit::Item) -> Result<Quantity, Problem> {
    let text = item.as_str().map(str::to_string).unwrap_or_else(|| item.to_string());
    let mut graph = graph::Graph::default();
    let expr = statement::expression(&text).map_err(|f| Problem::new(f.message))?;
    let (id, dimension) = typed::build(&expr, &mut graph, &Default::default()).map_err(|f| Problem::new(f.message))?;
    Ok(Quantity { value: graph.evaluate(&[])[id], dimension })
}

fn load(name: &str, text: &str) -> Result<Model, Vec<Problem>> {
    let source = Arc::new(Source { name: "test.toml".into(), text: text.into() });
    let document = toml_edit::Document::parse(text).expect("valid TOML");
    read(name, document.as_table(), &source, &mut value)
}

pub(super) fn shipped(name: &str) -> Model {
    let (_, text) = builtin().into_iter().find(|(n, _)| *n == name).expect("a built-in model");
    load(name, text).unwrap_or_else(|p| panic!("{name}: {}", p.iter().map(Problem::render).collect::<String>()))
}

struct Cell {
    program: Program,
    coefficients: Vec<f32>,
    states: Vec<f32>,
    registers: Vec<f32>,
}

impl Cell {
    fn new(model: &Model, dt: f64, set: &[(&str, f64)]) -> Self {
        let compiled = model.compile(dt).expect("compiles");
        let mut parameters: Vec<f64> = model.parameters.iter().map(|p| p.default).collect();
        for (name, x) in set {
            parameters[model.parameters.iter().position(|p| p.name == *name).expect("a parameter")] = *x;
        }
        let coefficients = compiled.coefficients(&parameters).expect("finite").iter().map(|x| *x as f32).collect();
        let mut states: Vec<f32> = (0..model.states.len()).map(|i| model.initial(i, &parameters) as f32).collect();
        states.extend(&compiled.hidden_initial);
        Self { registers: vec![0.0; compiled.program.registers as usize], program: compiled.program, coefficients, states }
    }

    fn step(&mut self, arriving: &[f32], inputs: &[f32]) -> bool {
        let body = std::mem::take(&mut self.program.body);
        let spike = self.run(&body, arriving, inputs);
        self.program.body = body;
        spike
    }

    fn run(&mut self, body: &[Stmt], arriving: &[f32], inputs: &[f32]) -> bool {
        let mut spike = false;
        for stmt in body {
            match stmt {
                Stmt::Let(r, op) => self.registers[*r as usize] = self.op(*op, arriving, inputs),
                Stmt::SetState(s, r) => self.states[*s as usize] = self.registers[*r as usize],
                Stmt::Spike(r) => spike |= self.registers[*r as usize] != 0.0,
                Stmt::Repeat(n, inner) => (0..*n).for_each(|_| spike |= self.run(inner, arriving, inputs)),
                Stmt::When(r, inner) if self.registers[*r as usize] != 0.0 => spike |= self.run(inner, arriving, inputs),
                Stmt::When(..) => {}
            }
        }
        spike
    }

    fn op(&self, op: Op, arriving: &[f32], inputs: &[f32]) -> f32 {
        let reg = |r: u32| f64::from(self.registers[r as usize]);
        match op {
            Op::Const(x) => x,
            Op::Coefficient(i) => self.coefficients[i as usize],
            Op::State(i) => self.states[i as usize],
            Op::Receptor(i) => arriving[i as usize],
            Op::Input(i) => inputs[i as usize],
            Op::Unary(op, a) => scalar::unary(op, reg(a)) as f32,
            Op::Binary(op, a, b) => scalar::binary(op, reg(a), reg(b)) as f32,
            Op::Select(c, a, b) => reg(if reg(c) != 0.0 { a } else { b }) as f32,
            Op::Normal(_) => 0.0,
            Op::Uniform(_) => 0.5,
        }
    }
}

/// The protocol of the NEST traces: a current from 20 to 220 ms, or spikes with delays 1.0 and 1.7 ms. Spike times, and V at the end.
fn protocol(model: &str, dt: f64, set: &[(&str, f64)], states: &[(usize, f32)], current: f32, we: f32, wi: f32) -> (Vec<f64>, f32) {
    const EXC: [f64; 28] = [
        10.0, 12.5, 13.0, 40.0, 41.0, 42.0, 43.0, 44.0, 90.3, 90.4, 90.5, 120.0, 125.0, 130.0, 135.0, 140.0, 145.0, 150.0, 152.0, 154.0,
        156.0, 158.0, 160.0, 200.7, 200.7, 230.0, 231.5, 233.0,
    ];
    const INH: [f64; 9] = [25.0, 60.0, 61.0, 122.2, 147.3, 157.7, 201.9, 232.0, 232.1];
    let mut cell = Cell::new(&shipped(model), dt, set);
    states.iter().for_each(|(i, x)| cell.states[*i] = *x);
    let at = |list: &[f64], delay: f64, k: usize| list.iter().filter(|s| ((**s + delay) / dt).round() as usize == k).count() as f32;
    let mut out = Vec::new();
    for k in 1..=(300.0 / dt).round() as usize {
        let on = k > (20.0 / dt).round() as usize && k <= (220.0 / dt).round() as usize;
        let arriving = [we * at(&EXC, 1.0, k), wi * at(&INH, 1.7, k)];
        if cell.step(&arriving, &[if on { current } else { 0.0 }]) {
            out.push((k as f64 * dt * 10.0).round() / 10.0);
        }
    }
    (out, cell.states[0])
}

fn close(got: &[f64], want: &[f64], within: f64) {
    assert!(got.len() == want.len() && got.iter().zip(want).all(|(g, w)| (g - w).abs() <= within + 1e-9), "{got:?} is not {want:?}");
}

const LIF: [f64; 10] = [38.0, 58.0, 78.0, 98.0, 118.0, 138.0, 158.0, 178.0, 198.0, 218.0];

#[test]
fn linear_models_spike_when_nest_says() {
    let set = [("tau_syn_exc", 2.0), ("tau_syn_inh", 3.0)];
    for (model, we, wi, want, end) in [
        ("iaf_psc_exp", 900.0, -600.0, vec![44.9, 155.8], -69.995130608),
        ("iaf_psc_alpha", 500.0, -300.0, vec![16.8, 45.7, 95.4, 141.8, 156.0, 162.3], -69.992333552),
        ("iaf_psc_delta", 6.0, -3.0, vec![14.0, 43.0, 91.5, 153.0], -69.986264675),
    ] {
        let set = if model == "iaf_psc_delta" { &[][..] } else { &set[..] };
        close(&protocol(model, 0.1, set, &[], 450.0, 0.0, 0.0).0, &LIF, 0.0);
        let (spikes, v) = protocol(model, 0.1, set, &[], 0.0, we, wi);
        close(&spikes, &want, 0.0);
        assert!((f64::from(v) - end).abs() < 1e-4, "{model}: {v}");
    }
}

#[test]
fn izhikevich_spikes_when_nest_says() {
    let start = [(0, -70.0), (1, -14.0)];
    let (spikes, v) = protocol("izhikevich", 0.1, &[], &start, 10.0, 0.0, 0.0);
    close(&spikes, &[23.7, 41.5, 86.7, 131.8, 176.9], 0.0);
    assert!((v + 71.374_91).abs() < 1e-3, "{v}");
    let (spikes, v) = protocol("izhikevich", 0.1, &[], &start, 0.0, 8.0, -5.0);
    close(&spikes, &[17.1, 93.7], 0.0);
    assert!((v + 70.161_55).abs() < 1e-3, "{v}");
    let (spikes, v) = protocol("izhikevich_2003", 1.0, &[], &start, 10.0, 0.0, 0.0);
    close(&spikes, &[25.0, 64.0, 113.0, 161.0, 219.0], 0.0);
    assert!((v + 72.900_79).abs() < 1e-5, "{v}");
}

#[test]
fn conductance_models_spike_within_two_steps_of_nest() {
    let iaf: Vec<f64> = (0..22).map(|k| 34.8 + 8.7 * f64::from(k)).collect();
    let syn = [("tau_syn_exc", 2.0), ("tau_syn_inh", 4.0)];
    let (spikes, v) = protocol("iaf_cond_exp", 0.1, &syn, &[], 400.0, 0.0, 0.0);
    close(&spikes, &iaf, 0.1);
    assert!((v + 69.949_5).abs() < 1e-2, "{v}");
    let (spikes, v) = protocol("aeif_cond_exp", 0.1, &syn, &[], 1000.0, 0.0, 0.0);
    close(&spikes, &[31.8, 41.5, 53.0, 67.1, 84.8, 106.9, 134.1, 165.3, 199.0], 0.2);
    assert!((v + 78.201_3).abs() < 3e-2, "{v}");
    let (spikes, v) = protocol("aeif_cond_exp", 0.1, &syn, &[], 0.0, 50.0, 30.0);
    close(&spikes, &[14.9, 43.9, 45.3, 47.0, 93.6, 142.9, 155.5, 158.5, 163.1], 0.2);
    assert!((v + 77.297_5).abs() < 3e-2, "{v}");
}

/// NEST starts the gates at the rest of V = E_L taken without V_T.
fn nest_gates() -> [(usize, f32); 3] {
    let v: f64 = -60.0;
    let (am, bm) = (0.32 * (13.0 - v) / (((13.0 - v) / 4.0).exp() - 1.0), 0.28 * (v - 40.0) / (((v - 40.0) / 5.0).exp() - 1.0));
    let (ah, bh) = (0.128 * ((17.0 - v) / 18.0).exp(), 4.0 / (1.0 + ((40.0 - v) / 5.0).exp()));
    let (an, bn) = (0.032 * (15.0 - v) / (((15.0 - v) / 5.0).exp() - 1.0), 0.5 * ((10.0 - v) / 40.0).exp());
    [(1, (am / (am + bm)) as f32), (2, (ah / (ah + bh)) as f32), (3, (an / (an + bn)) as f32)]
}

#[test]
fn traub_cells_spike_within_two_steps_of_nest() {
    let (spikes, v) = protocol("hh_cond_exp_traub", 0.1, &[], &nest_gates(), 500.0, 0.0, 0.0);
    let want =
        [11.2, 28.7, 40.8, 52.9, 65.0, 77.1, 89.1, 101.2, 113.3, 125.4, 137.5, 149.5, 161.6, 173.7, 185.8, 197.9, 209.9, 224.6, 296.8];
    close(&spikes, &want, 0.2);
    assert!((v + 83.607_19).abs() < 0.2, "{v}");
    let (spikes, v) = protocol("hh_cond_exp_traub", 0.1, &[], &nest_gates(), 0.0, 20.0, 20.0);
    let want = [
        11.2, 16.0, 22.9, 43.6, 47.1, 52.2, 92.9, 98.3, 121.2, 129.5, 136.2, 142.7, 148.9, 154.6, 158.8, 162.8, 169.4, 203.2, 214.4, 234.0,
        241.1,
    ];
    close(&spikes, &want, 0.2);
    assert!((v + 59.600_4).abs() < 0.1, "{v}");
}

#[test]
fn one_spike_makes_the_closed_form_of_the_potential() {
    let mut cell = Cell::new(&shipped("iaf_psc_exp"), 0.1, &[("V_th", 1e6)]);
    cell.step(&[100.0, 0.0], &[0.0]);
    assert_eq!(cell.states[..2], [-70.0, 100.0], "input arrives at the end of the step and is felt in the next");
    for k in 1..=500 {
        cell.step(&[0.0; 2], &[0.0]);
        let t = f64::from(k) * 0.1;
        let v = 100.0 / 250.0 / (1.0 / 2.0 - 1.0 / 10.0) * ((-t / 10.0).exp() - (-t / 2.0).exp()) - 70.0;
        assert!((f64::from(cell.states[0]) - v).abs() < 1e-4);
    }
    let mut alpha = Cell::new(&shipped("iaf_psc_alpha"), 0.1, &[]);
    alpha.step(&[100.0, 0.0], &[0.0]);
    let peak = (0..100).map(|_| (alpha.step(&[0.0; 2], &[0.0]), alpha.states[1]).1).fold(0.0, f32::max);
    assert!((peak - 100.0).abs() < 1e-3, "an alpha current peaks at its weight: {peak}");
}

#[test]
fn refractoriness_is_exact_in_steps_and_clamped_variables_take_no_input() {
    for t_ref in [0.0, 0.1, 2.0, 3.7] {
        let mut cell = Cell::new(&shipped("iaf_psc_delta"), 0.1, &[("t_ref", t_ref)]);
        assert!(cell.step(&[20.0, 0.0], &[0.0]));
        let silent = (0..100).take_while(|_| !cell.step(&[20.0, 0.0], &[0.0])).count();
        assert_eq!(silent, (t_ref / 0.1).round() as usize);
    }
}

#[test]
fn the_firing_rate_of_the_lif_follows_its_formula() {
    for current in [400.0, 600.0, 1000.0] {
        let mut cell = Cell::new(&shipped("iaf_psc_exp"), 0.01, &[]);
        let times: Vec<usize> = (0..100_000).filter(|_| cell.step(&[0.0; 2], &[current])).collect();
        let period = (times[times.len() - 1] - times[0]) as f64 * 0.01 / (times.len() - 1) as f64;
        let rise = f64::from(current) * 10.0 / 250.0;
        assert!((period - 2.0 - 10.0 * (rise / (rise - 15.0)).ln()).abs() < 0.011);
    }
}

#[test]
fn additive_parameters_leave_the_propagator_alone() {
    let model = shipped("iaf_psc_exp");
    let compiled = model.compile(0.1).expect("compiles");
    assert_eq!(compiled.method, "exact");
    let index = |n: &str| model.parameters.iter().position(|p| p.name == n).expect("a parameter");
    assert_eq!(compiled.uses.iter().filter(|u| u.contains(&index("E_L"))).count(), 1);
    assert_eq!(shipped("iaf_cond_exp").compile(0.1).expect("compiles").method, "exponential_euler");
    assert!(compiled.coefficients(&vec![0.0; model.parameters.len()]).is_err());
}

#[test]
fn mistakes_are_named_with_their_place() {
    let good = builtin()[0].1;
    let wrong = |from: &str, to: &str, want: &str| {
        let text = good.replace(from, to);
        let problems = load("x", &text).expect_err("a mistake");
        let all: String = problems.iter().map(Problem::render).collect();
        assert!(all.contains(want) && all.contains("test.toml:"), "{all}");
    };
    wrong("I_exc += w", "I_ex += w", "must add to a state variable");
    wrong("/C_m\n", "\n", "cannot add");
    wrong("-I_exc/tau_syn_exc", "-I_exc", "dI_exc/dt must be");
    wrong("threshold =", "treshold =", "did you mean `threshold`");
    wrong("V_m = V_reset", "V_n = V_reset", "did you mean `V_m`");
    wrong("(E_L - V_m)", "(E_L - V_q)", "is not known here");
    wrong("I_exc += w", "I_exc += w*w", "");
    wrong("dI_inh/dt", "dI_in/dt", "no state variable");
    wrong("V_m >= V_th", "V_m >= t_ref", "cannot compare mV and ms");
}

#[test]
fn named_quantities_follow_the_state_into_the_threshold() {
    let text = r#"
equations = """
above = V - V_th   # a named quantity
dV/dt = rate
"""
threshold = "above >= 0 mV"
reset = "V = 0 mV"
[parameters]
V_th = "1 mV"
rate = "1 mV/(1 ms)"
[state]
V = "0 mV"
"#;
    let model = load("ramp", text).expect("a model");
    let mut cell = Cell::new(&model, 0.25, &[]);
    let spikes: Vec<bool> = (0..8).map(|_| cell.step(&[], &[])).collect();
    assert_eq!(spikes, [false, false, false, true, false, false, false, true]);
}

#[test]
fn every_method_follows_a_decay() {
    for (method, within) in [("exact", 1e-6), ("exponential_euler", 1e-6), ("rk4", 1e-5), ("euler", 2e-2)] {
        let text = format!("method = '{method}'\nequations = 'dx/dt = (1 - x)/tau'\n[parameters]\ntau = '2 ms'\n[state]\nx = 0.0\n");
        let model = load("decay", &text).unwrap_or_else(|p| panic!("{}", p[0].render()));
        let mut cell = Cell::new(&model, 0.1, &[]);
        (0..20).for_each(|_| _ = cell.step(&[], &[]));
        assert!((f64::from(cell.states[0]) - (1.0 - (-1f64).exp())).abs() < within, "{method}: {}", cell.states[0]);
    }
}
