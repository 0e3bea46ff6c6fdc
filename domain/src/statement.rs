//! What a provider says it moved for a store in a period, line by line.

mod command;
mod error;
mod event;
mod line;
#[cfg(test)]
mod tests;

pub use command::StatementCommand;
pub use error::StatementError;
pub use event::{Opening, StatementEvent, StatementProvider};
pub use line::{IdentifiedLine, LineKind, Period, StatementLine, Tally, identified, tallies};

use crate::{Decide, StatementId, StoreId, write_decision};
use cqrs_es::Aggregate;
use cqrs_es::event_sink::EventSink;
use serde::{Deserialize, Serialize};

/// One file of a provider's. Its lines stay in their events: of a file with fifty thousand, the
/// state is what they come to.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub enum Statement {
    #[default]
    NotOpened,
    Opened(Box<Sheet>),
}

/// A statement that is being recorded, or has been.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Sheet {
    opening: Opening,
    recorded: u32,
    tallies: Vec<Tally>,
    is_closed: bool,
}

type Decision = Result<Vec<StatementEvent>, StatementError>;

impl Statement {
    /// # Errors
    /// [`StatementError::NotOpened`].
    pub fn sheet(&self) -> Result<&Sheet, StatementError> {
        match self {
            Self::NotOpened => Err(StatementError::NotOpened),
            Self::Opened(sheet) => Ok(sheet),
        }
    }

    /// Opened twice with the same file, it is opened once: whoever loads it again goes on.
    fn open(&self, opening: Opening) -> Decision {
        match self {
            Self::Opened(sheet) if sheet.opening == opening => Ok(vec![]),
            Self::Opened(_) => Err(StatementError::AlreadyOpened),
            Self::NotOpened if opening.period.from > opening.period.to => {
                Err(StatementError::PeriodEndsBeforeItBegins)
            }
            Self::NotOpened => Ok(vec![StatementEvent::Opened(opening)]),
        }
    }
}

impl Sheet {
    pub fn store_id(&self) -> StoreId {
        self.opening.store_id
    }

    pub fn opening(&self) -> &Opening {
        &self.opening
    }

    /// How many lines are recorded.
    pub fn recorded(&self) -> u32 {
        self.recorded
    }

    /// What they come to, by kind and currency.
    pub fn tallies(&self) -> &[Tally] {
        &self.tallies
    }

    pub fn is_closed(&self) -> bool {
        self.is_closed
    }

    /// `first` is the number of the first of `lines`. What is recorded already is passed over, so
    /// that a load that broke off can begin anywhere before the place where it did.
    fn record(&self, first: u32, lines: Vec<IdentifiedLine>) -> Decision {
        let expected = self.recorded.saturating_add(1);
        if first > expected {
            return Err(StatementError::LinesMissing { expected, first });
        }
        let known = usize::try_from(expected.saturating_sub(first)).unwrap_or(usize::MAX);
        let new: Vec<_> = lines.into_iter().skip(known).collect();
        if new.is_empty() {
            return Ok(vec![]);
        }
        let count = u32::try_from(new.len()).unwrap_or(u32::MAX);
        let last = self.recorded.saturating_add(count);
        if self.is_closed || last > self.opening.lines {
            return Err(StatementError::TooManyLines {
                announced: self.opening.lines,
            });
        }
        let mut sums = self.tallies.clone();
        let mut events = Vec::with_capacity(new.len());
        for (number, IdentifiedLine { line_id, line }) in (expected..=last).zip(new) {
            if !self.opening.period.contains(line.happened_at) {
                return Err(StatementError::OutsideOfPeriod { number });
            }
            let (kind, amount, fee) = line.movement();
            line::count(&mut sums, kind, amount, fee)
                .map_err(|_| StatementError::SumTooLarge { number })?;
            events.push(StatementEvent::LineRecorded {
                store_id: self.opening.store_id,
                provider: self.opening.provider,
                line_id,
                number,
                line,
            });
        }
        Ok(events)
    }

    fn close(&self) -> Decision {
        let (recorded, announced) = (self.recorded, self.opening.lines);
        if self.is_closed {
            return Ok(vec![]);
        }
        if recorded < announced {
            return Err(StatementError::Unfinished {
                recorded,
                announced,
            });
        }
        Ok(vec![StatementEvent::Closed {
            lines: recorded,
            tallies: self.tallies.clone(),
        }])
    }
}

impl Decide for Statement {
    type Id = StatementId;

    fn decide(&self, command: StatementCommand) -> Decision {
        match command {
            StatementCommand::Open(opening) => self.open(opening),
            StatementCommand::Record { first, lines } => self.sheet()?.record(first, lines),
            StatementCommand::Close {} => self.sheet()?.close(),
        }
    }
}

impl Aggregate for Statement {
    const TYPE: &'static str = "statement";
    type Command = StatementCommand;
    type Event = StatementEvent;
    type Error = StatementError;
    type Services = ();

    async fn handle(
        &mut self,
        command: StatementCommand,
        _services: &(),
        sink: &EventSink<Self>,
    ) -> Result<(), StatementError> {
        write_decision(self, command, sink).await
    }

    fn apply(&mut self, event: StatementEvent) {
        match event {
            StatementEvent::Opened(opening) => {
                *self = Self::Opened(Box::new(Sheet {
                    opening,
                    recorded: 0,
                    tallies: Vec::new(),
                    is_closed: false,
                }));
            }
            StatementEvent::LineRecorded { number, line, .. } => {
                if let Self::Opened(sheet) = self {
                    sheet.recorded = number;
                    // It was counted before it was recorded, and fitted.
                    let (kind, amount, fee) = line.movement();
                    let _ = line::count(&mut sheet.tallies, kind, amount, fee);
                }
            }
            StatementEvent::Closed { .. } => {
                if let Self::Opened(sheet) = self {
                    sheet.is_closed = true;
                }
            }
        }
    }
}
