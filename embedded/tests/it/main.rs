//! Real servers, started and ended in every way that occurs.

#[cfg(test)]
mod another_process;
#[cfg(test)]
mod keeping;
#[cfg(test)]
mod nats;
#[cfg(test)]
mod postgres;
#[cfg(test)]
mod sharing;
