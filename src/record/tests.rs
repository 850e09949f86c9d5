//! Metrics of hand-made spikes: numbers that can be worked out on paper.

use super::*;

/// Statistics of populations of 4 and 8 neurons in steps of 1 ms, of spikes (step, neuron), over a run of 200 steps.
fn statistics(window: Window, spikes: &[(u64, u32)]) -> Statistics {
    let populations = vec![("a".into(), 0, 4), ("b".into(), 4, 8)];
    let layout = Layout {
        dt: 1.0,
        warmup: 0,
        windows: Vec::new(),
        populations,
        spikes: Vec::new(),
        probes: Vec::new(),
        rates: Vec::new(),
        weights: Vec::new(),
        first: 0,
    };
    let mut statistics = Statistics::new(&layout, window);
    spikes.iter().for_each(|(step, neuron)| statistics.spike(*step, *neuron));
    statistics.reach(200);
    statistics
}

fn window(start: u64, stop: u64) -> Window {
    Window { start, stop, gap: 10, against: None }
}

fn close(found: Result<f64, String>, expected: f64) {
    let found = found.unwrap();
    assert!((found - expected).abs() < 1e-9, "{found}, expected {expected}");
}

#[test]
fn a_window_counts_the_spikes_after_its_start_up_to_its_stop() {
    let spikes = [(10, 0), (20, 0), (20, 1), (21, 0), (40, 2), (41, 3), (150, 0)];
    let s = statistics(window(20, 40), &spikes);
    close(s.measure("spikes", 0, 2), 2.0);
    close(s.measure("rate", 0, 2), 2.0 / (4.0 * 20.0));
    close(s.measure("latency", 0, 2), 1.0);
    close(s.measure("lifetime", 0, 2), 40.0);
    close(s.measure("active", 0, 2), 2.0);
    close(s.measure("spread", 0, 2), 9.5);
    close(s.measure("spikes", 1, 2), 0.0);
    for metric in ["latency", "spread", "centre", "ring_centre", "ring_width", "period"] {
        assert_eq!(s.measure(metric, 1, 2).unwrap_err(), format!("too few spikes for {metric}"));
    }
    close(statistics(window(0, u64::MAX), &spikes).measure("spikes", 0, 2), 7.0);
}

#[test]
fn a_window_beyond_the_end_of_the_run_is_no_number() {
    let told = statistics(window(100, 201), &[(150, 0)]).measure("spikes", 0, 2).unwrap_err();
    assert!(told.contains("the run ends before"), "{told}");
    assert!(statistics(window(100, 200), &[(150, 0)]).measure("spikes", 0, 2).is_ok());
}

#[test]
fn centres_and_widths_weigh_neurons_by_their_spikes() {
    // Of b: neuron 1 twice, neuron 7 twice, on a ring of 8 at 45 and 315 degrees.
    let s = statistics(window(0, 200), &[(1, 5), (2, 5), (3, 11), (4, 11)]);
    close(s.measure("centre", 1, 2), 4.0);
    let round = s.measure("ring_centre", 1, 2).unwrap();
    assert!(round.min(360.0 - round) < 1e-9, "{round}");
    close(s.measure("ring_width", 1, 2), (2f64.ln()).sqrt().to_degrees());
    close(statistics(window(0, 200), &[(1, 6)]).measure("ring_centre", 1, 2), 90.0);
    close(statistics(window(0, 200), &[(1, 10)]).measure("ring_centre", 1, 2), 270.0);
    assert!(statistics(window(0, 200), &[(1, 6)]).measure("ring_width", 1, 2).unwrap() < 1e-6);
}

#[test]
fn periods_and_phases_are_those_of_burst_starts() {
    // a bursts at 20, 60 and 100; b 30 later, so that a cycle has its burst at three quarters.
    let spikes = [(20, 0), (22, 1), (50, 4), (53, 5), (60, 0), (90, 4), (100, 2), (130, 9)];
    let s = statistics(Window { against: Some(0), ..window(0, 200) }, &spikes);
    close(s.measure("bursts", 0, 2), 3.0);
    close(s.measure("period", 0, 2), 40.0);
    close(s.measure("phase", 1, 2), 0.75);
    close(s.measure("locking", 1, 2), 1.0);
    let told = statistics(window(0, 200), &spikes).measure("phase", 1, 2).unwrap_err();
    assert!(told.contains("needs against"), "{told}");
    // One cycle at 0.25 and one at 0.75 have no phase in common.
    let s = statistics(Window { against: Some(0), ..window(0, 200) }, &[(20, 0), (30, 4), (60, 0), (90, 4), (100, 0)]);
    assert!(s.measure("locking", 1, 2).unwrap() < 1e-9);
}
