//! A model's table -> a checked `Model`. Knows the keys of a model; what the equations become is for `compile`.

use std::sync::Arc;

use toml_edit::{Item, TableLike};

use super::expr::{Expr, Node};
use super::graph::Graph;
use super::statement::{self, Function, Kind, Spot, Statement};
use super::typed::{self, Fault, Names};
use super::{Event, Input, Least, Model, Parameter, Receptor, State, calls};
use crate::base::problem::{Problem, Source, did_you_mean};
use crate::base::units::{CURRENT, Dimension, Quantity, TIME, VOLTAGE};

pub const KEYS: [&str; 20] = [
    "about",
    "cite",
    "receptor_by",
    "equations",
    "update",
    "functions",
    "precision",
    "method",
    "substeps",
    "substep",
    "threshold",
    "threshold_each",
    "reset",
    "refractory",
    "events",
    "parameters",
    "limits",
    "state",
    "receptors",
    "inputs",
];
const METHODS: [&str; 4] = ["exact", "exponential_euler", "rk4", "euler"];

/// Any step will do to check a model before the run's own is known.
pub(super) const TRIAL_STEP: f64 = 0.1;

pub(super) struct Reader<'a> {
    pub(super) table: &'a dyn TableLike,
    pub(super) source: &'a Arc<Source>,
    pub(super) problems: Vec<Problem>,
}

/// Reads and checks a model; all problems at once.
pub fn read(
    name: &str,
    table: &dyn TableLike,
    source: &Arc<Source>,
    evaluate: &mut dyn FnMut(&Item) -> Result<Quantity, Problem>,
) -> Result<Model, Vec<Problem>> {
    let mut reader = Reader { table, source, problems: Vec::new() };
    reader.keys(table, &KEYS, "a model");
    let explicit = table.contains_key("update");
    if explicit == table.contains_key("equations") {
        reader.problems.push(Problem::new(format!("model `{name}` needs `equations` or `update`, and not both")));
    }
    let mut model = Model {
        name: name.to_string(),
        about: reader.text("about").map(|t| t.0).unwrap_or_default(),
        cite: reader.text("cite").map(|t| t.0).unwrap_or_default(),
        by_sign: reader.choice("receptor_by", &["sign"]).is_some(),
        parameters: reader.parameters(evaluate),
        limits: Vec::new(),
        states: Vec::new(),
        receptors: Vec::new(),
        inputs: reader.inputs(),
        source: source.clone(),
        functions: reader.functions(),
        statements: reader.block(if explicit { "update" } else { "equations" }),
        explicit,
        method: reader.choice("method", &METHODS),
        substeps: reader.substeps(),
        substep: reader.substep(evaluate),
        threshold_text: table.get("threshold").and_then(Item::as_str).unwrap_or_default().into(),
        threshold: reader.expression("threshold"),
        each_substep: reader.choice("threshold_each", &["step", "substep"]).is_some_and(|c| c == "substep"),
        paired: reader.choice("precision", &["single", "pairs"]).is_some_and(|c| c == "pairs"),
        reset: reader.block("reset"),
        period: None,
        period_text: None,
        clamp: Vec::new(),
        events: reader.events(),
    };
    reader.states("state", &mut model);
    reader.receptors(&mut model);
    reader.refractory(&mut model);
    reader.unique(&model);
    model.limits = reader.limits(&model);
    if model.by_sign && model.receptors.len() != 2 {
        reader.problems.push(Problem::new(format!("`receptor_by = \"sign\"` needs two receptors, `{name}` has {}", model.receptors.len())));
    }
    if !reader.problems.is_empty() {
        return Err(reader.problems);
    }
    model.bound()?;
    let defaults = table.get("parameters").and_then(Item::as_table_like);
    for p in &model.parameters {
        if let Some(wrong) = p.least.wrong(p.default) {
            let item = defaults.and_then(|t| t.get(&p.name));
            reader.problem(item, format!("{} {wrong}, and is {} {}", p.name, p.default, p.dimension));
        }
    }
    let values: Vec<f64> = model.parameters.iter().map(|p| p.default).collect();
    if let Some((wrong, _)) = model.limits().broken(&values) {
        reader.problem(table.get("limits"), wrong);
    }
    if reader.problems.is_empty() { Ok(model) } else { Err(reader.problems) }
}

/// The same model, integrated as a table that copies it says (`method`, `substeps`): a method without substeps takes one.
pub fn integrated(model: &mut Model, table: &dyn TableLike, source: &Arc<Source>) -> Result<(), Vec<Problem>> {
    let mut reader = Reader { table, source, problems: Vec::new() };
    let method = reader.choice("method", &METHODS);
    let substeps = reader.substeps();
    if !reader.problems.is_empty() {
        return Err(reader.problems);
    }
    let Some(item) = table.get("method").or_else(|| table.get("substeps")) else { return Ok(()) };
    if model.explicit {
        reader.problem(Some(item), format!("{} is written as an `update` and has no method to choose", model.name));
        return Err(reader.problems);
    }
    model.method = method.or(model.method.take());
    (model.substeps, model.substep) = (substeps, None);
    // The equations stand elsewhere: what is wrong with the choice is wrong here.
    let here = |p: Problem| if let Some(span) = item.span() { p.at(source, span) } else { p };
    model.bound().map_err(|problems| problems.into_iter().map(here).collect())
}

impl Model {
    /// The least values that the parameters may take, as the compiled model demands.
    fn bound(&mut self) -> Result<(), Vec<Problem>> {
        for (parameter, least) in self.compile(TRIAL_STEP)?.least.iter().enumerate() {
            self.parameters[parameter].least = *least;
        }
        Ok(())
    }
}

impl Reader<'_> {
    pub(super) fn problem(&mut self, item: Option<&Item>, message: impl Into<String>) {
        let problem = Problem::new(message);
        self.problems.push(match item.and_then(Item::span) {
            Some(span) => problem.at(self.source, span),
            None => problem,
        });
    }

    pub(super) fn fault(&mut self, spot: &Spot, fault: Fault) {
        self.problems.push(spot.problem(self.source, fault));
    }

    pub(super) fn keys(&mut self, table: &dyn TableLike, known: &[&str], what: &str) {
        for (key, _) in table.iter().filter(|(key, _)| !known.contains(key)) {
            let mut problem = Problem::new(format!("`{key}` is no key of {what}"));
            problem.help = did_you_mean(key, known.iter().copied());
            let span = table.get_key_value(key).and_then(|(k, item)| k.span().or(item.span()));
            self.problems.push(if let Some(span) = span { problem.at(self.source, span) } else { problem });
        }
    }

    /// A key's string with its place.
    pub(super) fn text(&mut self, key: &str) -> Option<(String, Spot)> {
        let item = self.table.get(key)?;
        self.string(key, item)
    }

    pub(super) fn string(&mut self, key: &str, item: &Item) -> Option<(String, Spot)> {
        match item.as_str() {
            Some(text) => Some((text.to_string(), Spot::of(item.span(), text, self.source))),
            None => {
                self.problem(Some(item), format!("`{key}` must be a text"));
                None
            }
        }
    }

    fn choice(&mut self, key: &str, known: &[&str]) -> Option<String> {
        let (text, _) = self.text(key)?;
        if !known.contains(&text.as_str()) {
            self.problem(self.table.get(key), format!("`{key}` is one of {}, not `{text}`", known.join(", ")));
            return None;
        }
        Some(text)
    }

    fn substeps(&mut self) -> u32 {
        let Some(item) = self.table.get("substeps") else { return 1 };
        match item.as_integer().and_then(|n| u32::try_from(n).ok()).filter(|n| (1..=1000).contains(n)) {
            Some(n) => n,
            None => {
                self.problem(Some(item), "`substeps` is a whole number from 1 to 1000");
                1
            }
        }
    }

    /// A time; the number of substeps is left to it.
    fn substep(&mut self, evaluate: &mut dyn FnMut(&Item) -> Result<Quantity, Problem>) -> Option<f64> {
        let item = self.table.get("substep")?;
        if self.table.contains_key("substeps") {
            self.problem(Some(item), "`substep` is the longest one, `substeps` their number: give one of the two");
        }
        match evaluate(item) {
            Ok(q) if q.dimension == TIME && q.value > 0.0 && q.value.is_finite() => Some(q.value),
            Ok(_) => {
                self.problem(Some(item), "`substep` is a time above zero, as in \"0.05 ms\"");
                None
            }
            Err(problem) => {
                self.problems.push(problem);
                None
            }
        }
    }

    pub(super) fn parse(&mut self, text: &str, spot: Spot) -> Option<(Expr, Spot)> {
        match statement::expression(text) {
            Ok(expr) => Some((expr, spot)),
            Err(f) => {
                self.fault(&spot, f);
                None
            }
        }
    }

    pub(super) fn expression(&mut self, key: &str) -> Option<(Expr, Spot)> {
        let (text, spot) = self.text(key)?;
        self.parse(&text, spot)
    }

    pub(super) fn block(&mut self, key: &str) -> Vec<Statement> {
        let Some((text, spot)) = self.text(key) else { return Vec::new() };
        statement::statements(&text, &spot).unwrap_or_else(|f| {
            self.fault(&spot, f);
            Vec::new()
        })
    }

    pub(super) fn functions(&mut self) -> Arc<[Function]> {
        let Some((text, spot)) = self.text("functions") else { return Arc::new([]) };
        let list = statement::functions(&text, &spot).unwrap_or_else(|f| {
            self.fault(&spot, f);
            Vec::new()
        });
        for (k, f) in list.iter().enumerate() {
            if calls::RESERVED.contains(&f.name.as_str()) || list[..k].iter().any(|g| g.name == f.name) {
                self.fault(
                    &f.spot,
                    Fault::new(format!("there is already a function `{}`", f.name), f.span.clone()).help("give it another name"),
                );
            }
        }
        list.into()
    }

    fn events(&mut self) -> Vec<Event> {
        let mut out = Vec::new();
        for (name, item) in self.entries("events") {
            let Some(table) = item.as_table_like() else {
                self.problem(Some(&item), format!("event `{name}` is a table: {{ condition = \"V > V_t\", action = \"w += b\" }}"));
                continue;
            };
            self.keys(table, &["condition", "action"], "an event");
            let (Some(condition), Some(action)) = (table.get("condition"), table.get("action")) else {
                self.problem(Some(&item), format!("event `{name}` needs a `condition` and an `action`"));
                continue;
            };
            let Some((shown, spot)) = self.string("condition", condition) else { continue };
            let Some(condition) = self.parse(&shown, spot) else { continue };
            let Some((text, spot)) = self.string("action", action) else { continue };
            match statement::statements(&text, &spot) {
                Ok(action) => out.push(Event { name, condition, text: shown, action }),
                Err(f) => self.fault(&spot, f),
            }
        }
        out
    }

    /// The entries of a sub-table, in order.
    pub(super) fn entries(&mut self, key: &str) -> Vec<(String, Item)> {
        match self.table.get(key).map(|item| (item, item.as_table_like())) {
            None => Vec::new(),
            Some((_, Some(table))) => table.iter().map(|(k, i)| (k.to_string(), i.clone())).collect(),
            Some((item, None)) => {
                self.problem(Some(item), format!("`{key}` must be a table"));
                Vec::new()
            }
        }
    }

    pub(super) fn parameters(&mut self, evaluate: &mut dyn FnMut(&Item) -> Result<Quantity, Problem>) -> Vec<Parameter> {
        let mut out = Vec::new();
        for (name, item) in self.entries("parameters") {
            match evaluate(&item) {
                Ok(q) => out.push(Parameter { name, dimension: q.dimension, default: q.value, least: Least::Any }),
                Err(problem) => self.problems.push(problem),
            }
        }
        out
    }

    pub(super) fn states(&mut self, key: &str, model: &mut Model) {
        let (mut graph, mut names) =
            (Graph::default(), Names { functions: model.functions.clone(), visible: model.functions.len(), ..Names::default() });
        for (i, p) in model.parameters.iter().enumerate() {
            let leaf = graph.leaf(super::graph::Node::Parameter(i));
            names.now.insert(p.name.clone(), (leaf, p.dimension));
        }
        names.common = names.now.clone();
        for (name, item) in self.entries(key) {
            let number = item.as_float().or(item.as_integer().map(|n| n as f64));
            let read = match number {
                Some(x) => Some((Expr { node: Node::Number(x), span: 0..0 }, Spot { base: None, whole: item.span() })),
                None => self.string(&name, &item).and_then(|(text, spot)| self.parse(&text, spot)),
            };
            let Some((initial, spot)) = read else { continue };
            match typed::build(&initial, &mut graph, &names) {
                Ok((_, dimension)) => model.states.push(State { name, dimension, initial }),
                Err(f) => self.fault(&spot, f),
            }
        }
    }

    fn inputs(&mut self) -> Vec<Input> {
        let mut out = Vec::new();
        for (name, item) in self.entries("inputs") {
            if let Some((text, spot)) = self.string(&name, &item)
                && let Some(dimension) = self.unit(&text, spot)
            {
                out.push(Input { name, dimension });
            }
        }
        out
    }

    /// The dimension of a text such as `pA` or `mV/ms`.
    pub(super) fn unit(&mut self, text: &str, spot: Spot) -> Option<Dimension> {
        let (expr, spot) = self.parse(text, spot)?;
        match typed::build(&expr, &mut Graph::default(), &Names::default()) {
            Ok((_, dimension)) => Some(dimension),
            Err(f) => {
                self.fault(&spot, f);
                None
            }
        }
    }

    fn receptors(&mut self, model: &mut Model) {
        for (name, item) in self.entries("receptors") {
            let Some((text, spot)) = self.string(&name, &item) else { continue };
            if model.explicit && !text.contains('=') {
                if let Some(weight) = self.unit(&text, spot) {
                    model.receptors.push(Receptor { name, weight, non_negative: false, action: None });
                }
                continue;
            }
            match statement::statements(&text, &spot).and_then(|list| receptor(name, list, text.len(), model)) {
                Ok(receptor) => model.receptors.push(receptor),
                Err(f) => self.fault(&spot, f),
            }
        }
    }

    fn refractory(&mut self, model: &mut Model) {
        let Some(item) = self.table.get("refractory") else { return };
        let Some(table) = item.as_table_like() else {
            return self.problem(Some(item), "`refractory` is a table: { period = \"t_ref\", clamp = [\"V_m\"] }");
        };
        self.keys(table, &["period", "clamp"], "`refractory`");
        match table.get("period") {
            Some(period) => {
                model.period_text = period.as_str().map(String::from);
                model.period = self.string("period", period).and_then(|(text, spot)| self.parse(&text, spot));
            }
            None => self.problem(Some(item), "`refractory` needs a `period`"),
        }
        let Some(clamp) = table.get("clamp") else { return };
        let Some(list) = clamp.as_array() else { return self.problem(Some(clamp), "`clamp` is a list of state variables") };
        for value in list {
            match model.states.iter().position(|s| Some(s.name.as_str()) == value.as_str()) {
                Some(i) => model.clamp.push(i),
                None => self.problem(Some(clamp), format!("`clamp` names {value}, which is no state variable")),
            }
        }
    }

    pub(super) fn unique(&mut self, model: &Model) {
        let all = model.parameters.iter().map(|p| &p.name).chain(model.states.iter().map(|s| &s.name));
        let named = model.receptors.iter().filter(|r| r.action.is_none()).map(|r| &r.name);
        let mut seen = std::collections::HashSet::new();
        for name in all.chain(model.inputs.iter().map(|i| &i.name)).chain(named) {
            if name == "dt" || !seen.insert(name) {
                self.problem(None, format!("`{name}` is named twice in model `{}`", model.name));
            }
        }
    }
}

/// `state += c*w`: the weight's dimension is the state's over that of c.
fn receptor(name: String, list: Vec<Statement>, len: usize, model: &Model) -> Result<Receptor, Fault> {
    let wrong = |message: String, span| Fault::new(message, span).help("as in `I_exc += w`");
    let [action] = <[Statement; 1]>::try_from(list).map_err(|_| wrong(format!("receptor `{name}` is one statement"), 0..len))?;
    let state = model.states.iter().find(|s| s.name == action.target);
    let Some(state) = state.filter(|_| action.kind == Kind::Increase) else {
        return Err(wrong(format!("receptor `{name}` must add to a state variable, and `{}` is none", action.target), action.span.clone()));
    };
    let mut graph = Graph::default();
    let mut names = Names::default();
    for (i, p) in model.parameters.iter().enumerate() {
        names.now.insert(p.name.clone(), (graph.leaf(super::graph::Node::Parameter(i)), p.dimension));
    }
    let w = graph.leaf(super::graph::Node::Receptor(0));
    names.now.insert("w".into(), (w, crate::base::units::NUMBER));
    let (value, dimension) = typed::build(&action.expr, &mut graph, &names)?;
    let zero = graph.number(0.0);
    if !graph.linear(value, &[w]).is_some_and(|(c, rest)| rest == zero && graph.fixed[c[0]] && c[0] != zero) {
        return Err(wrong("what is added must be the weight `w` times something free of state".into(), action.expr.span.clone()));
    }
    let weight = state.dimension.over(dimension);
    let siemens = CURRENT.over(VOLTAGE);
    let non_negative = weight.0[..3] == siemens.0[..3];
    Ok(Receptor { name, weight, non_negative, action: Some(action) })
}
