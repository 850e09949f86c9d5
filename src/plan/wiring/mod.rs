//! Wiring by integers: the row of a source is a pure function of (seed, projection, source). Knows no weight and no engine.

mod counts;
pub mod distance;
mod hypergeometric;
mod permutation;
mod stored;
mod stubs;

use crate::base::gaps::Gaps;
use crate::base::rng::Stream;
use std::sync::Arc;

use crate::network::{Degree, Projection, Rule, Which};
use crate::plan::space::Between;
pub use counts::Ends;
pub use permutation::Permutation;
pub use stored::Stored;
pub use stubs::Stubs;

/// Fewer sources than this leave no room to trade autapses away.
pub const FEWEST: u32 = stubs::FEWEST;

/// Streams of a projection's wiring.
const WIRING: u32 = 16;
const COUNTS: u32 = 17;

/// Who is connected to whom, by positions among the sources and among the targets.
pub struct Wiring {
    stream: Stream,
    sources: u32,
    targets: u32,
    kind: Kind,
    /// Position among the targets that a source may not reach: itself.
    own: Option<LeftOut>,
}

/// Where a source finds itself among the targets.
pub enum LeftOut {
    /// Both parts are ranges: source `s` is target `s + shift`, if there is one.
    Shift(i64),
    /// By source; `u32::MAX` where it is no target.
    Places(Vec<u32>),
}

/// How the row of source `s` comes about. Words are of the wiring's stream; `own` is skipped where autapses are not allowed.
pub enum Kind {
    AllToAll,
    OneToOne,
    /// Targets come in blocks of `2^block`; word k of block b of source s is lane k%4 of counter [s, k/4, b, 0], and gives the next
    /// gap between targets.
    Bernoulli {
        p: f64,
        gaps: Gaps,
        block: u32,
    },
    /// Synapse k of source s: target = high word of (number of targets times lane k%4 of counter [s, k/4, 0, 0]).
    Independent {
        ends: Ends,
    },
    /// The first images of a permutation of the targets with the key of counter [s, 0, 0, 0].
    Distinct {
        ends: Ends,
    },
    /// Synapse number `j` owns stub `permutation(j)`; target = stub / in-degree.
    Stubs(Stubs),
    /// As `distance::Rows` says.
    Distance(Box<distance::Rows>),
    Stored(Stored),
}

impl Wiring {
    /// The wiring of a projection. An error says what is impossible and what would help.
    /// `between` is the space of sources and targets, where both have positions.
    pub fn new(seed: u64, projection: u32, p: &Projection, between: Option<Arc<Between>>) -> Result<Self, String> {
        let own = (!p.autapses && p.from.population == p.to.population).then(|| LeftOut::new(p));
        let mut wiring = Self {
            stream: Stream::new(seed, [WIRING, projection]),
            sources: p.from.which.len(),
            targets: p.to.which.len(),
            kind: Kind::AllToAll,
            own,
        };
        let counts = Stream::new(seed, [COUNTS, projection]);
        wiring.kind = match &p.rule {
            Rule::Distance(rule) => wiring.distance(p, rule, between)?,
            _ => wiring.lowered(p, &counts)?,
        };
        Ok(wiring)
    }

    fn lowered(&self, p: &Projection, counts: &Stream) -> Result<Kind, String> {
        p.rule.check(&p.from, &p.to, p.autapses, p.multapses)?;
        let n_t = u64::from(self.targets);
        let even = |each: u32| Ends::Even(each, self.sources);
        Ok(match &p.rule {
            Rule::AllToAll => Kind::AllToAll,
            Rule::OneToOne => Kind::OneToOne,
            // Nearer to 0 or 1 than a word of 32 bits can tell.
            Rule::FixedProbability(q) if *q > 1.0 - 1e-9 => Kind::AllToAll,
            Rule::FixedProbability(q) if *q < 1e-9 => Kind::Independent { ends: even(0) },
            Rule::FixedProbability(q) => Kind::Bernoulli { p: *q, gaps: Gaps::new(*q), block: bernoulli_block(*q) },
            Rule::FixedOutDegree(k) if p.multapses => Kind::Independent { ends: even(*k) },
            Rule::FixedOutDegree(k) => Kind::Distinct { ends: even(*k) },
            Rule::FixedInDegree(k) => {
                let own = self.own.is_some().then_some(|s: u32| self.own(s));
                let random = p.multapses && (own.is_none() || self.sources >= FEWEST);
                let stubs = random.then(|| Stubs::new(*k, self.sources, self.targets, own, counts)).flatten();
                stubs.map_or_else(|| Kind::Stored(self.in_degree(p, *k)), Kind::Stubs)
            }
            Rule::FixedTotalNumber(n) if p.multapses => Kind::Independent { ends: Ends::multinomial(*n, self.sources, counts) },
            Rule::FixedTotalNumber(n) => {
                let owned = self.owned();
                let pairs = |s: u32| u64::from(s) * n_t - owned.get(s as usize).map_or(0, |o| u64::from(*o));
                Kind::Distinct { ends: hypergeometric::rows(*n, self.sources, pairs, counts) }
            }
            Rule::Distance(_) => return Err("rule distance needs positions".into()),
            Rule::List(list) => Kind::Stored(Stored::listed(list, self.sources)),
        })
    }

    /// Targets of `source` in canonical order, as positions among the targets, pushed to `out`.
    pub fn row(&self, source: u32, out: &mut Vec<u32>) {
        self.drawn(source, out, &mut Vec::new(), &mut distance::Scratch::default());
    }

    /// Stretches of a row: each is drawn by itself, and its synapses are numbered from 0 in the streams of weights and delays.
    pub fn stretches(&self) -> u32 {
        match &self.kind {
            Kind::Bernoulli { block, .. } => self.targets.div_ceil(1 << block),
            Kind::Stubs(stubs) => stubs.blocks.len() as u32,
            Kind::Distance(rows) => rows.stretches(),
            _ => 1,
        }
    }

    /// The whole row: targets, and where each stretch of it ends that has any.
    #[inline(always)]
    pub fn drawn(&self, source: u32, out: &mut Vec<u32>, ends: &mut Vec<(u32, usize)>, scratch: &mut distance::Scratch) {
        if let Kind::Distance(rows) = &self.kind {
            return rows.row(&self.stream, source, self.own(source), scratch, |stretch, target| {
                out.push(target);
                match ends.last_mut() {
                    Some((last, end)) if *last == stretch => *end = out.len(),
                    _ => ends.push((stretch, out.len())),
                }
            });
        }
        for b in 0..self.stretches() {
            self.stretch(source, b, out);
            ends.push((b, out.len()));
        }
    }

    /// Targets of stretch `b` of the row of `source`, pushed to `out`.
    #[inline(always)]
    pub fn stretch(&self, source: u32, b: u32, out: &mut Vec<u32>) {
        let own = self.own(source);
        let others = self.targets - u32::from(own.is_some());
        match &self.kind {
            Kind::AllToAll => out.extend((0..self.targets).filter(|t| Some(*t) != own)),
            Kind::OneToOne => out.extend(Some(source).filter(|t| Some(*t) != own)),
            Kind::Bernoulli { gaps, block, .. } => self.bernoulli(source, gaps, *block, b, own, out),
            Kind::Independent { ends } => {
                let target = |u: u32| ((u64::from(u) * u64::from(others)) >> 32) as u32;
                self.stream.fill(source, ends.length(source), |_, u| out.push(skip(target(u), own)));
            }
            Kind::Distinct { ends } => {
                let order = Permutation::new(others, self.stream.block([source, 0, 0, 0]));
                out.extend((0..ends.length(source) as u32).map(|k| skip(order.at(k), own)));
            }
            Kind::Stubs(stubs) => stubs.stretch(source, b, out),
            Kind::Distance(rows) => rows.stretch(&self.stream, source, own, b, |t| out.push(t)),
            Kind::Stored(stored) => out.extend_from_slice(stored.row(source)),
        }
    }

    /// For a listed projection: the positions in the list of the synapses that `row` gives.
    pub fn listed(&self, source: u32) -> &[u32] {
        match &self.kind {
            Kind::Stored(stored) => stored.positions(source),
            _ => &[],
        }
    }

    /// Number of synapses; an expectation for fixed probability.
    pub fn synapses(&self) -> u64 {
        let own = if self.own.is_some() { self.own_pairs() } else { 0 };
        let pairs = u64::from(self.sources) * u64::from(self.targets) - own;
        match &self.kind {
            Kind::AllToAll => pairs,
            Kind::OneToOne => u64::from(self.sources) - own.min(u64::from(self.sources)),
            Kind::Bernoulli { p, .. } => libm::rint(p * pairs as f64) as u64,
            Kind::Independent { ends } | Kind::Distinct { ends } => ends.total(),
            Kind::Stubs(stubs) => stubs.synapses(),
            Kind::Distance(rows) => match rows.degree() {
                Some(k) => u64::from(k) * u64::from(self.sources),
                None => libm::rint(rows.mean(|s| self.own(s)) * f64::from(self.sources)) as u64,
            },
            Kind::Stored(stored) => stored.synapses(),
        }
    }

    /// The number of synapses, counted row by row where a rule leaves it to chance.
    pub fn counted(&self) -> u64 {
        if !matches!(self.kind, Kind::Bernoulli { .. } | Kind::Distance(_)) {
            return self.synapses();
        }
        let mut row = Vec::new();
        let count = |s| {
            row.clear();
            self.row(s, &mut row);
            row.len() as u64
        };
        (0..self.sources).map(count).sum()
    }

    /// A bound on the synapses that one target receives: certain, or passed with a probability below 1e-20.
    pub fn max_in_degree(&self) -> u64 {
        match &self.kind {
            Kind::AllToAll => u64::from(self.sources),
            Kind::OneToOne => 1,
            Kind::Stubs(stubs) => u64::from(stubs.in_degree),
            Kind::Distance(rows) => likely(rows.most()),
            Kind::Stored(stored) => stored.max_in_degree(),
            Kind::Bernoulli { .. } => self.likely().min(u64::from(self.sources)),
            Kind::Distinct { .. } => self.likely().min(u64::from(self.sources)),
            Kind::Independent { ends } => self.likely().min(ends.total()),
        }
    }

    /// The same where it is certain; none where chance alone keeps synapses from meeting at one target.
    pub fn most_in_degree(&self) -> Option<u64> {
        match &self.kind {
            Kind::Bernoulli { .. } | Kind::Distinct { .. } => Some(u64::from(self.sources)),
            Kind::Distance(rows) => rows.degree().is_none().then_some(u64::from(self.sources)),
            Kind::Independent { ends } => Some(ends.total()),
            _ => Some(self.max_in_degree()),
        }
    }

    fn likely(&self) -> u64 {
        likely(self.synapses() as f64 / f64::from(self.targets.max(1)))
    }

    fn distance(&self, p: &Projection, rule: &crate::network::Distance, between: Option<Arc<Between>>) -> Result<Kind, String> {
        let between = between.ok_or("rule distance needs positions of the sources and of the targets")?;
        if !matches!(rule.degree, Degree::Probability(_)) && !p.multapses {
            return Err("a degree with a kernel draws each synapse by itself: allow_multapses = true, or p instead of a degree".into());
        }
        let lonely = |rows: &distance::Rows, own: &(dyn Fn(u32) -> Option<u32> + Sync), who: &str| match rows.lonely(own) {
            Some(i) => Err(format!("{who} {i} has nobody within reach to be connected with: a larger reach, or p instead of a degree")),
            None => Ok(()),
        };
        match rule.degree {
            Degree::Probability(_) => Ok(Kind::Distance(Box::new(distance::Rows::new(rule, between)?))),
            Degree::Out(_) => {
                let rows = distance::Rows::new(rule, between)?;
                lonely(&rows, &|s| self.own(s), "source")?;
                Ok(Kind::Distance(Box::new(rows)))
            }
            Degree::In(_) => {
                let rows = distance::Rows::new(rule, Arc::new(between.turned()))?;
                let own = |t| self.own.as_ref().and_then(|o| o.source_of(t, self.sources));
                lonely(&rows, &own, "target")?;
                let mut scratch = distance::Scratch::default();
                let mut pairs = Vec::new();
                for t in 0..self.targets {
                    rows.row(&self.stream, t, own(t), &mut scratch, |_, s| pairs.push((s, t)));
                }
                Ok(Kind::Stored(Stored::new(pairs, self.sources)))
            }
        }
    }

    #[inline(always)]
    fn bernoulli(&self, source: u32, gaps: &Gaps, block: u32, b: u32, own: Option<u32>, out: &mut Vec<u32>) {
        let end = (u64::from(b + 1) << block).min(u64::from(self.targets));
        let mut at = u64::from(b) << block;
        for k in 0u32.. {
            for u in self.stream.block([source, k, b, 0]) {
                let gap = gaps.draw(u);
                at += u64::from(gap.unwrap_or_else(|failures| failures));
                if at >= end {
                    return;
                }
                if gap.is_ok() {
                    if Some(at as u32) != own {
                        out.push(at as u32);
                    }
                    at += 1;
                }
            }
        }
    }

    /// Bytes that the wiring itself takes.
    pub fn bytes(&self) -> u64 {
        let rows = match &self.kind {
            Kind::Independent { ends } | Kind::Distinct { ends } => ends.bytes(),
            Kind::Stubs(stubs) => stubs.bytes(),
            Kind::Stored(stored) => stored.bytes(),
            Kind::Distance(rows) => rows.bytes(),
            Kind::AllToAll | Kind::OneToOne | Kind::Bernoulli { .. } => 0,
        };
        rows + if let Some(LeftOut::Places(places)) = &self.own { places.len() as u64 * 4 } else { 0 }
    }

    /// How rows come about, for an engine that draws them elsewhere.
    pub fn kind(&self) -> &Kind {
        &self.kind
    }

    /// Where the words of the wiring come from.
    pub fn stream(&self) -> &Stream {
        &self.stream
    }

    /// The position among the targets that this source may not reach, if there is one.
    pub fn own(&self, source: u32) -> Option<u32> {
        self.own.as_ref().and_then(|o| o.of(source, self.targets))
    }

    /// How sources find themselves among the targets, where they are left out.
    pub fn left_out(&self) -> Option<&LeftOut> {
        self.own.as_ref()
    }

    /// Synapses of stretch `b` of a row; none where they must be drawn to be counted.
    pub fn length(&self, source: u32, b: u32) -> Option<u32> {
        Some(match &self.kind {
            Kind::AllToAll => self.targets - u32::from(self.own(source).is_some()),
            Kind::OneToOne => u32::from(self.own(source) != Some(source)),
            Kind::Independent { ends } | Kind::Distinct { ends } => ends.length(source) as u32,
            Kind::Stubs(stubs) => stubs.blocks.get(b as usize).map_or(0, |block| block.ends.length(source) as u32),
            Kind::Stored(stored) => stored.row(source).len() as u32,
            Kind::Bernoulli { .. } | Kind::Distance(_) => return None,
        })
    }

    pub fn targets(&self) -> u32 {
        self.targets
    }

    fn in_degree(&self, p: &Projection, k: u32) -> Stored {
        let rows = (0..self.targets).flat_map(|t| {
            let own = self.own.as_ref().and_then(|o| o.source_of(t, self.sources));
            let n = u64::from(self.sources) - u64::from(own.is_some());
            let mut picked = Vec::with_capacity(k as usize);
            if p.multapses {
                self.stream.fill(t, k as usize, |_, u| picked.push(skip(((u64::from(u) * n) >> 32) as u32, own)));
            } else {
                let order = Permutation::new(n as u32, self.stream.block([t, 0, 0, 0]));
                picked.extend((0..k).map(|i| skip(order.at(i), own)));
            }
            picked.into_iter().map(move |s| (s, t))
        });
        Stored::new(rows.collect(), self.sources)
    }

    /// How many of the first s sources are among the targets themselves, by s; empty where none is left out.
    fn owned(&self) -> Vec<u32> {
        let mut sum = 0;
        let count = |s: u32| {
            sum += u32::from(s > 0 && self.own(s - 1).is_some());
            sum
        };
        if self.own.is_some() { (0..=self.sources).map(count).collect() } else { Vec::new() }
    }

    fn own_pairs(&self) -> u64 {
        (0..self.sources).filter(|s| self.own(*s).is_some()).count() as u64
    }
}

impl LeftOut {
    fn new(p: &Projection) -> Self {
        if let (Which::Range { start: from, .. }, Which::Range { start: to, .. }) = (&p.from.which, &p.to.which) {
            return LeftOut::Shift(i64::from(*from) - i64::from(*to));
        }
        let size = (0..p.to.which.len()).map(|i| p.to.which.get(i) + 1).max().unwrap_or(0);
        let mut place = vec![u32::MAX; size as usize];
        (0..p.to.which.len()).for_each(|i| place[p.to.which.get(i) as usize] = i);
        let find = |i| place.get(p.from.which.get(i) as usize).copied().unwrap_or(u32::MAX);
        LeftOut::Places((0..p.from.which.len()).map(find).collect())
    }

    #[inline(always)]
    fn of(&self, source: u32, targets: u32) -> Option<u32> {
        match self {
            LeftOut::Shift(shift) => u32::try_from(i64::from(source) + shift).ok().filter(|t| *t < targets),
            LeftOut::Places(places) => Some(places[source as usize]).filter(|t| *t != u32::MAX),
        }
    }

    /// Members of a part are in id order, so positions rise with the source where there is one.
    fn source_of(&self, target: u32, sources: u32) -> Option<u32> {
        match self {
            LeftOut::Shift(shift) => u32::try_from(i64::from(target) - shift).ok().filter(|s| *s < sources),
            LeftOut::Places(places) => places.iter().zip(0..sources).find(|(t, _)| **t == target).map(|(_, s)| s),
        }
    }
}

fn skip(t: u32, own: Option<u32>) -> u32 {
    t + u32::from(own.is_some_and(|own| t >= own))
}

/// A count that is passed with a probability below 1e-20, for this mean.
fn likely(mean: f64) -> u64 {
    (mean + 12.0 * libm::sqrt(mean) + 60.0) as u64
}

/// Bits of a block of targets: about 32 synapses to a block.
fn bernoulli_block(p: f64) -> u32 {
    (libm::ceil(libm::log2(32.0 / p)) as u32).clamp(8, 16)
}

#[cfg(test)]
mod tests;
