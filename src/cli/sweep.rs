//! `synfire sweep`: a scene for many values of its parameters and many seeds, small runs side by side, as one table.

use std::io::Write;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

use serde_json::{Value, json};

use super::args::Sweep;
use super::scene::named;
use super::simulate::{Task, machine, simulate};
use super::terminal::{Terminal, closed};
use super::vary::{Axis, axis, grid};
use super::{Failure, host};
use crate::base::problem::did_you_mean;
use crate::record::METRICS;
use crate::session::{Machine, Origin};

/// One run of the table.
struct Point {
    values: Vec<(String, String)>,
    seed: u64,
}

/// A column: a metric of a population, by index.
struct Column {
    name: String,
    metric: &'static crate::record::Metric,
    population: usize,
}

/// What a run gave: one number for each column, and its spikes; or why there are none.
type Row = Result<(Vec<Option<f64>>, u64), Failure>;

pub fn sweep(words: &Sweep, terminal: &Terminal) -> Result<(), Failure> {
    let axes = words.vary.iter().map(|v| axis(v).map_err(|e| Failure::Usage(format!("--vary {v}: {e}")))).collect::<Result<Vec<_>, _>>()?;
    let origin = named(&words.scene, &words.changes)?;
    let points = points(&axes, words, &origin);
    let first = task(&origin, &points[0])?;
    let names: Vec<String> = first.plan.populations.iter().map(|p| p.name.clone()).collect();
    let columns = columns(&words.metric, &names)?;
    let machine = machine(&words.place, terminal)?;
    let jobs = jobs(words, &first, &machine).min(points.len());
    // Runs side by side share the cores already.
    let machine = machine.with_threads(words.changes.threads.or((jobs > 1).then_some(1)));
    drop(first);
    let mut out = output(words)?;
    terminal.note(format!("{} runs, {jobs} at a time", points.len()));
    let mut table = Table { axes: &axes, columns: &columns, rows: Vec::new(), json: terminal.json };
    table.head(&mut out)?;
    let failed = rows(&origin, &points, &columns, &machine, jobs, terminal, |i, row| table.row(&points[i], row, &mut out))?;
    table.end(&mut out)?;
    if terminal.stopped() {
        return Err(Failure::Interrupted(format!("{} of {} runs are in the table", table.rows.len(), points.len())));
    }
    match failed {
        0 => Ok(()),
        n => Err(Failure::Told(Box::new(Failure::Run(format!("{n} runs failed"))))),
    }
}

fn points(axes: &[Axis], words: &Sweep, origin: &Origin) -> Vec<Point> {
    let first = origin.options.seed.unwrap_or(1);
    let seeds = move || (0..u64::from(words.seeds)).map(move |i| first + i);
    grid(axes).into_iter().flat_map(|values| seeds().map(move |seed| Point { values: values.clone(), seed })).collect()
}

/// The run of a point. Probes are left out: the table holds metrics, which need none.
fn task(origin: &Origin, point: &Point) -> Result<Task, Failure> {
    let mut origin = origin.clone();
    origin.options.seed = Some(point.seed);
    origin.options.set.extend(point.values.iter().cloned());
    let mut scene = origin.load().map_err(Failure::Scene)?;
    scene.network.probes.clear();
    let plan = super::scene::plan(&scene)?;
    Ok(Task { origin, scene, plan, state: None, journal: Vec::new(), windows: Vec::new() })
}

fn columns(wanted: &[String], names: &[String]) -> Result<Vec<Column>, Failure> {
    let usual = ["rate", "cv_isi", "synchrony"].map(String::from);
    let mut out = Vec::new();
    for text in if wanted.is_empty() { &usual[..] } else { wanted } {
        let (name, population) = text.split_once('.').map_or((text.as_str(), None), |(n, p)| (n, Some(p)));
        let known = METRICS.iter().map(|m| m.name);
        let Some(metric) = METRICS.iter().find(|m| m.name == name) else {
            let help = did_you_mean(name, known.clone()).unwrap_or_else(|| format!("there are {}", known.collect::<Vec<_>>().join(", ")));
            return Err(Failure::Usage(format!("no metric is named `{name}`: {help}")));
        };
        if let Some(p) = population.filter(|p| !names.iter().any(|n| n == p)) {
            let help = did_you_mean(p, names.iter().map(String::as_str)).unwrap_or_else(|| format!("there are {}", names.join(", ")));
            return Err(Failure::Usage(format!("no population is named `{p}`: {help}")));
        }
        let chosen = names.iter().enumerate().filter(|(_, n)| population.is_none_or(|p| p == *n));
        out.extend(chosen.map(|(i, n)| Column { name: format!("{}.{n}", metric.name), metric, population: i }));
    }
    Ok(out)
}

/// As many runs at once as there are cores, and as fit into half of the free memory; one on a GPU.
fn jobs(words: &Sweep, first: &Task, machine: &Machine) -> usize {
    if machine.describe().engine != "cpu" {
        return 1;
    }
    let wanted = words.jobs.map_or_else(rayon::current_num_threads, |j| j as usize);
    let needed = crate::plan::estimate(&first.scene.network, host::free_memory()).max(1.0);
    let fit = host::free_memory().map_or(wanted, |free| (free as f64 / 2.0 / needed) as usize);
    wanted.min(fit).max(1)
}

fn output(words: &Sweep) -> Result<Box<dyn Write>, Failure> {
    let Some(path) = &words.out else { return Ok(Box::new(std::io::stdout())) };
    if path.exists() && !words.force {
        return Err(Failure::Run(format!("{} exists: take another --out, or --force to replace it", path.display())));
    }
    let file = std::fs::File::create(path).map_err(|e| Failure::Run(format!("{}: {e}", path.display())))?;
    Ok(Box::new(std::io::BufWriter::new(file)))
}

/// Runs every point, some side by side, and gives the rows in order. The number of runs that failed.
fn rows(
    origin: &Origin,
    points: &[Point],
    columns: &[Column],
    machine: &Machine,
    jobs: usize,
    terminal: &Terminal,
    mut each: impl FnMut(usize, (Vec<Option<f64>>, u64)) -> Result<(), Failure>,
) -> Result<usize, Failure> {
    let (next, bar) = (AtomicUsize::new(0), terminal.bar(points.len() as u64, "{bar:30} {pos} of {len} runs, eta {eta}"));
    let (send, receive) = mpsc::channel::<(usize, Row)>();
    std::thread::scope(|scope| {
        for _ in 0..jobs {
            let (send, next) = (send.clone(), &next);
            scope.spawn(move || {
                loop {
                    let i = next.fetch_add(1, Ordering::Relaxed);
                    if i >= points.len()
                        || terminal.stopped()
                        || send.send((i, one(origin, &points[i], columns, machine, i, terminal))).is_err()
                    {
                        return;
                    }
                }
            });
        }
        drop(send);
        let (mut waiting, mut due, mut failed) = (std::collections::BTreeMap::new(), 0, 0);
        for (i, row) in receive {
            bar.inc(1);
            waiting.insert(i, row);
            while let Some(row) = waiting.remove(&due) {
                match row {
                    Ok(row) => each(due, row)?,
                    Err(Failure::Interrupted(_)) => {}
                    Err(e) => {
                        failed += 1;
                        let at: Vec<String> = points[due].values.iter().map(|(n, v)| format!("{n}={v}")).collect();
                        terminal.wrong(&format!("{} seed {}: {}", at.join(" "), points[due].seed, e.message()));
                        each(due, (vec![None; columns.len()], 0))?;
                    }
                }
                due += 1;
            }
        }
        bar.finish_and_clear();
        Ok(failed)
    })
}

fn one(origin: &Origin, point: &Point, columns: &[Column], machine: &Machine, i: usize, terminal: &Terminal) -> Row {
    let folder = host::Temporary::new(&format!("sweep-{i}")).map_err(Failure::Run)?;
    let (_, recording, outcome) = simulate(task(origin, point)?, machine, folder.path(), terminal, false)?;
    if outcome.interrupted {
        return Err(Failure::Interrupted(String::new()));
    }
    if let Some(e) = outcome.failed {
        return Err(Failure::Run(e));
    }
    let measure = |c: &Column| recording.measure(c.metric.name, c.population, 2).ok().map(|x| x * c.metric.shown);
    Ok((columns.iter().map(measure).collect(), outcome.spikes))
}

/// The table, written as its rows come: as CSV at once, as JSON at the end.
struct Table<'a> {
    axes: &'a [Axis],
    columns: &'a [Column],
    rows: Vec<Value>,
    json: bool,
}

impl Table<'_> {
    fn head(&self, out: &mut dyn Write) -> Result<(), Failure> {
        let names = self.axes.iter().map(|a| a.name.clone()).chain(["seed".into()]);
        let metrics =
            self.columns.iter().map(|c| if c.metric.unit == "1" { c.name.clone() } else { format!("{} ({})", c.name, c.metric.unit) });
        let names: Vec<String> = names.chain(metrics).chain(["spikes in all".into()]).map(|n| quoted(&n)).collect();
        if self.json { Ok(()) } else { line(out, &names.join(",")) }
    }

    fn row(&mut self, point: &Point, (values, spikes): (Vec<Option<f64>>, u64), out: &mut dyn Write) -> Result<(), Failure> {
        let fields: Vec<String> = point.values.iter().map(|(_, v)| quoted(v)).chain([point.seed.to_string()]).collect();
        let metrics: Vec<String> = values.iter().map(|v| v.map_or(String::new(), |x| x.to_string())).collect();
        let set: serde_json::Map<String, Value> = point.values.iter().map(|(n, v)| (n.clone(), number(v))).collect();
        let measured: serde_json::Map<String, Value> = self.columns.iter().zip(&values).map(|(c, v)| (c.name.clone(), json!(v))).collect();
        self.rows.push(json!({ "set": set, "seed": point.seed, "metrics": measured, "spikes": spikes }));
        if self.json { Ok(()) } else { line(out, &format!("{},{},{spikes}", fields.join(","), metrics.join(","))) }
    }

    fn end(&self, out: &mut dyn Write) -> Result<(), Failure> {
        if !self.json {
            return out.flush().map_err(closed);
        }
        let units: serde_json::Map<String, Value> = self.columns.iter().map(|c| (c.name.clone(), json!(c.metric.unit))).collect();
        let all = super::terminal::document(json!({ "units": units, "rows": self.rows }));
        line(out, &format!("{all:#}"))
    }
}

fn line(out: &mut dyn Write, text: &str) -> Result<(), Failure> {
    writeln!(out, "{text}").and_then(|()| out.flush()).map_err(closed)
}

fn number(text: &str) -> Value {
    text.parse::<f64>().map_or_else(|_| json!(text), |x| json!(x))
}

/// A field of CSV: quoted where it holds a comma or a quote.
fn quoted(text: &str) -> String {
    if text.contains([',', '"', '\n']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.into() }
}
