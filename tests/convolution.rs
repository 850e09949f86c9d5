//! Rule convolution: its synapses against the definition, what it does to spikes on both engines, edits of its weight, its errors.

mod common;

use std::collections::BTreeMap;

use common::{advance, machines, network_of, origin, rendered, start, synapses};
use synfire::plan::plan;
use synfire::session::{Command, Simulation};

fn grid(n: &[u32]) -> String {
    let list = |of: Vec<String>| of.join(", ");
    let extent = list(n.iter().map(|_| "\"1 mm\"".to_string()).collect());
    format!("positions = {{ grid = [{}], extent = [{extent}] }}", list(n.iter().map(u32::to_string).collect()))
}

fn scene(from: &[u32], to: &[u32], projection: &str) -> String {
    format!(
        "format = 1\n[run]\ndt = \"0.1 ms\"\nduration = \"1 s\"\n[parameters]\nw = \"1 mV\"\n\
         [populations.eye]\nmodel = \"iaf_psc_delta\"\n{}\n[populations.map]\nmodel = \"iaf_psc_delta\"\n{}\n\
         [[projections]]\nfrom = \"eye\"\nto = \"map\"\nrule = \"convolution\"\nweight = \"w\"\ndelay = \"0.3 ms\"\n{projection}\n",
        grid(from),
        grid(to)
    )
}

const CROSS: [[f64; 3]; 2] = [[0.0, 1.0, -2.0], [3.0, 0.0, 0.5]];
const CROSS_TEXT: &str = "kernel = [[0, 1, -2], [3, 0, 0.5]]";

/// The definition, over targets and the whole plane: out(X, Y) = sum of kernel(row, column) in(X s_x - p_x + column, Y s_y - p_y + row).
fn defined(from: [i64; 2], to: [i64; 2], kernel: &[[f64; 3]; 2], stride: [i64; 2], padding: [i64; 2]) -> BTreeMap<(u32, u32), f64> {
    let mut out = BTreeMap::new();
    for target in 0..to[0] * to[1] {
        for source in 0..from[0] * from[1] {
            let (x, y) = (source % from[0], source / from[0]);
            let column = x - (target % to[0]) * stride[0] + padding[0];
            let row = y - (target / to[0]) * stride[1] + padding[1];
            if (0..3).contains(&column) && (0..2).contains(&row) && kernel[row as usize][column as usize] != 0.0 {
                out.insert((source as u32, target as u32), kernel[row as usize][column as usize]);
            }
        }
    }
    out
}

#[test]
fn its_synapses_are_those_of_the_definition() {
    for (from, stride, padding) in [([7, 5], [1, 1], [0, 0]), ([7, 5], [2, 3], [1, 2]), ([3, 2], [1, 1], [0, 0]), ([4, 9], [3, 1], [2, 0])]
    {
        let to: [i64; 2] = std::array::from_fn(|a| (from[a] + 2 * padding[a] - [3, 2][a]) / stride[a] + 1);
        let more = format!("{CROSS_TEXT}\nstride = {stride:?}\npadding = {padding:?}");
        let narrow = |n: [i64; 2]| n.map(|n| n as u32);
        let plan = plan(&network_of(&scene(&narrow(from), &narrow(to), &more))).unwrap();
        let (sources, quanta) = ((from[0] * from[1]) as u32, plan.projections[0].weight.quanta);
        let found = synapses(&plan)[0].iter().map(|c| ((c.source, c.target - sources), f64::from(c.weight) / quanta)).collect();
        assert_eq!(defined(from, to, &CROSS, stride, padding), found, "{from:?} {stride:?} {padding:?}");
    }
}

/// One cell spikes; what arrives three steps later is the kernel around it, mirrored, as every target looks from its own place.
#[test]
fn a_spike_arrives_as_the_kernel_on_both_engines_and_its_weight_can_be_edited() {
    let text = scene(&[7, 5], &[7, 5], "kernel = [[1, 2, 3], [4, 5, 6], [7, 8, 9]]\npadding = 1")
        + "[[stimuli]]\nkind = \"spikes\"\nto = \"eye[17]\"\ntimes = [\"1 ms\", \"4 ms\"]\nweight = \"50 mV\"\n\
           [[probes]]\nrecord = \"V_m\"\nof = \"map\"\n";
    for machine in machines() {
        let mut simulation = start(origin(&text, None, &[]), machine, None);
        let first = at_arrival(&mut simulation, 20);
        simulation.apply(Command::Set { address: "w".into(), value: "-0.5 mV".into() }).unwrap();
        let second = at_arrival(&mut simulation, 40);
        for target in 0..35usize {
            let (x, y) = (target as i64 % 7, target as i64 / 7);
            let (column, row) = (3 - x + 1, 2 - y + 1);
            let inside = (0..3).contains(&column) && (0..3).contains(&row);
            let expected = if inside { (3 * row + column + 1) as f32 } else { 0.0 };
            assert!((first[target] - expected).abs() < 1e-3, "target {target}: {} for {expected}", first[target]);
            assert!((second[target] + 0.5 * expected).abs() < 0.02 * expected + 1e-3, "edited, target {target}: {}", second[target]);
        }
    }
}

/// The largest step of every membrane in so many steps: what arrived.
fn at_arrival(simulation: &mut Simulation, steps: u64) -> Vec<f32> {
    let samples = advance(simulation, steps, 5).samples;
    let most = |i: usize| {
        let steps = samples.windows(2).map(|w| w[1].values[i] - w[0].values[i]);
        steps.fold(0.0f32, |most, x| if x.abs() > most.abs() { x } else { most })
    };
    (0..samples[0].values.len()).map(most).collect()
}

#[test]
fn what_does_not_fit_is_refused_with_a_remedy() {
    for (from, to, more, words) in [
        (&[7, 5][..], &[7, 5][..], CROSS_TEXT, "5 x 4 places, and there are 7 x 5 targets"),
        (&[2, 2], &[1, 1], CROSS_TEXT, "larger than the sources"),
        (&[7, 5], &[5, 4], "kernel = [[1, 2], [3]]", "rows of equal length"),
        (&[7, 5], &[5, 4], "kernel = 3", "rows of equal length"),
        (&[7, 5], &[5, 4], "kernel = [[1, \"2 mV\"]]", "found mV"),
        (&[7, 5], &[5, 4], "", "`kernel` is missing"),
        (&[7, 5], &[5, 4], "kernel = [[0, 1, 0], [0, 1, 0]]\nstride = 0", "5 x 4"),
        (&[7, 5], &[5, 4], "kernel = [[0, 1, 0], [0, 1, 0]]\nsigma = \"1 mm\"", "takes no `sigma`"),
        (&[7, 5], &[5, 4], "kernel = [[0, 1, 0], [0, 1, 0]]\nin_degree = 3", "takes no `in_degree`"),
        (&[7, 5, 2], &[5, 4], CROSS_TEXT, "grid of one or two dimensions"),
    ] {
        let text = scene(from, to, more);
        let told = origin(&text, None, &[]).load().map(|_| ()).map_err(|p| rendered(&p)).expect_err(more);
        assert!(told.contains(words), "{more}: {told}");
    }
    let text = scene(&[7, 5], &[5, 4], CROSS_TEXT).replace("weight = \"w\"", "weight = \"normal(w, w)\"");
    let told = origin(&text, None, &[]).load().map(|_| ()).map_err(|p| rendered(&p)).unwrap_err();
    assert!(told.contains("one number, which its kernel multiplies"), "{told}");
    let text = scene(&[7, 5], &[5, 4], CROSS_TEXT).replace("from = \"eye\"", "from = \"eye[0..3]\"");
    let told = origin(&text, None, &[]).load().map(|_| ()).map_err(|p| rendered(&p)).unwrap_err();
    assert!(told.contains("takes the whole of eye"), "{told}");
    let text = scene(&[7, 5], &[5, 4], CROSS_TEXT).replace("rule = \"convolution\"", "rule = \"all_to_all\"");
    let told = origin(&text, None, &[]).load().map(|_| ()).map_err(|p| rendered(&p)).unwrap_err();
    assert!(told.contains("takes no `kernel`"), "{told}");
}
