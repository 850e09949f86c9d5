//! Orders on their way to the simulation. Bounded: a new value for an address takes the place of one that waits.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use super::Order;

#[derive(Default)]
pub struct Mailbox {
    waiting: Mutex<Waiting>,
    bell: Condvar,
}

#[derive(Default)]
struct Waiting {
    orders: VecDeque<(u64, Order)>,
    number: u64,
}

impl Mailbox {
    /// Puts an order in and gives its number.
    pub fn post(&self, order: Order) -> u64 {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.number += 1;
        let number = waiting.number;
        match waiting.orders.back_mut() {
            Some((last, old)) if replaces(&order, old) => (*last, *old) = (number, order),
            _ => waiting.orders.push_back((number, order)),
        }
        self.bell.notify_one();
        number
    }

    /// The next order, if one comes within `patience`.
    pub fn take(&self, patience: Duration) -> Option<(u64, Order)> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.orders.is_empty() && !patience.is_zero() {
            waiting = self.bell.wait_timeout(waiting, patience).unwrap_or_else(PoisonError::into_inner).0;
        }
        waiting.orders.pop_front()
    }
}

/// Whether nothing is lost if `new` is carried out and `old`, right before it, is not.
fn replaces(new: &Order, old: &Order) -> bool {
    match (new, old) {
        (Order::Set(new), Order::Set(old)) => old.iter().all(|(address, _)| new.iter().any(|(a, _)| a == address)),
        (Order::Open(_), Order::Open(_) | Order::Rewrite(_)) | (Order::Rewrite(_), Order::Rewrite(_)) => true,
        (Order::Speed(_), Order::Speed(_))
        | (Order::Watch(_), Order::Watch(_))
        | (Order::Weigh(_), Order::Weigh(_))
        | (Order::Guard(_), Order::Guard(_)) => true,
        (Order::Run | Order::Pause, Order::Run | Order::Pause) => true,
        _ => false,
    }
}
