//! The step that is really run, for people to read. Knows the order of a step, computes nothing.

use std::fmt::Write;

use super::Model;

impl Model {
    pub(super) fn describe(&self, method: &str, dt: f64) -> String {
        let mut out = String::new();
        let how = match method {
            "exact" => "integrated exactly: x + ((exp(A dt) - 1) x + b), inputs held over the step",
            "exponential_euler" => {
                "exponential Euler: x + dt exprel(a dt) f(x), the threshold's variable last, with the means of the others over the step"
            }
            "rk4" => "Runge-Kutta of order 4",
            "euler" if self.noisy() => "Euler and Maruyama, all from the old values: xi adds sqrt(h) times a normal draw",
            "euler" => "forward Euler, all from the old values",
            _ => "these assignments, in order",
        };
        let parts = match self.substeps(dt) {
            1 => String::new(),
            n => format!(", in {n} substeps of {} ms", dt / f64::from(n)),
        };
        let _ = writeln!(out, "1. over dt = {dt} ms{parts}: {how}");
        if self.noisy() && matches!(method, "exact" | "exponential_euler") {
            let law = if method == "exact" {
                "the covariance that the linear system builds up"
            } else {
                "the variance of a decay at the present rate"
            };
            let _ = writeln!(out, "   white noise enters with {law} over the step");
        }
        if self.paired {
            let _ = writeln!(out, "   states and arithmetic in pairs of f32, about 48 bits");
        }
        self.functions.iter().for_each(|f| _ = writeln!(out, "   {}", f.text));
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
        let each = if self.each_substep { "after every substep" } else { "at the end of the step" };
        let events = |out: &mut String, number: u32| {
            if self.threshold.is_some() {
                let _ = writeln!(out, "{number}. spike if {}, tested {each}, then:", self.threshold_text);
                self.reset.iter().for_each(|s| _ = writeln!(out, "   {}", s.text));
            }
            if self.each_substep && self.threshold.is_some() && method == "rk4" {
                let _ = writeln!(
                    out,
                    "   a substep that crosses is run again in {} finer ones (not where something is drawn in it)",
                    super::step::FINER
                );
            }
            if let Some(period) = &self.period_text {
                let _ = writeln!(out, "   refractory for round(({period})/dt) steps, in which there is no further spike");
            }
            for event in &self.events {
                let _ = writeln!(out, "   then event {}, if {}:", event.name, event.text);
                event.action.iter().for_each(|s| _ = writeln!(out, "   {}", s.text));
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

    fn noisy(&self) -> bool {
        let mut found = false;
        self.statements.iter().for_each(|s| s.expr.names(&mut |n| found |= n == "xi" || n.starts_with("xi_")));
        found
    }
}
