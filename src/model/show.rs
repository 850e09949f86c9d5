//! The step that is really run, for people to read. Knows the order of a step, computes nothing.

use std::fmt::Write;

use super::Model;

impl Model {
    pub(super) fn describe(&self, method: &str, dt: f64) -> String {
        let mut out = String::new();
        let how = match method {
            "exact" => "integrated exactly: x + ((exp(A dt) - 1) x + b), inputs held over the step".into(),
            "exponential_euler" => {
                "exponential Euler: x + dt exprel(a dt) f(x), the threshold's variable last, with midpoints of the others".into()
            }
            "rk4" => format!("Runge-Kutta of order 4, {} substeps of {} ms", self.substeps, dt / f64::from(self.substeps)),
            "euler" => "forward Euler, all from the old values".into(),
            _ => "these assignments, in order".into(),
        };
        let _ = writeln!(out, "1. over dt = {dt} ms, {how}");
        self.statements.iter().for_each(|s| _ = writeln!(out, "   {}", s.text));
        for name in self.clamp.iter().filter_map(|i| self.states.get(*i)) {
            let _ = writeln!(out, "   {} is held while refractory", name.name);
        }
        let inputs = |out: &mut String, number: u32| {
            for receptor in &self.receptors {
                let what = receptor.action.as_ref().map_or("used in the update above", |a| a.text.as_str());
                let _ = writeln!(out, "{number}. receptor {}: {what}, w in {}", receptor.name, receptor.weight);
            }
        };
        let events = |out: &mut String, number: u32| {
            if self.threshold.is_some() {
                let each = if self.each_substep { "after every substep" } else { "at the end of the step" };
                let _ = writeln!(out, "{number}. spike, tested {each}, then:");
                self.reset.iter().for_each(|s| _ = writeln!(out, "   {}", s.text));
            }
            if self.period.is_some() {
                let _ = writeln!(out, "   refractory for round(period/dt) steps");
            }
        };
        if self.each_substep {
            events(&mut out, 2);
            inputs(&mut out, 3);
        } else {
            inputs(&mut out, 2);
            events(&mut out, 3);
        }
        out
    }
}
