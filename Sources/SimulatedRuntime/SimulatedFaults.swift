/// What goes wrong in a simulated runtime, as probabilities from 0 to 1. Without any, services come up and stay.
package struct SimulatedFaults: Sendable {
    /// Milliseconds between a start and being ready.
    package var startMilliseconds = 2...40
    /// A start whose probe never passes, so that the service fails.
    package var neverReady = 0.0
    /// A service that was ready ends by itself, within a minute.
    package var crash = 0.0
    /// A command exits with 1 and has done nothing.
    package var commandFails = 0.0

    /// Milliseconds on the way to the runtime, and back again.
    package var wayMilliseconds = 0...3
    /// A call fails before it takes effect.
    package var callFails = 0.0
    /// A call takes effect, and the caller gets an error instead of its reply.
    package var replyLost = 0.0
    /// A call takes effect twice.
    package var callDoubled = 0.0
    /// A call, or its reply, takes up to five seconds.
    package var callSlow = 0.0

    package static let none = SimulatedFaults()

    package init() {}
}

/// What happened in a simulated runtime, with its effects on the world.
package struct SideEffect: Sendable, Hashable {
    package enum Kind: Sendable, Hashable {
        case started(generation: Int)
        /// By a stop that was asked for.
        case stopped
        /// Ended by itself or by somebody else.
        case ended
        /// A command that took effect.
        case ran([String], on: String)
        /// A script that took effect together with its row in the ledger.
        case applied(script: String, on: String)
        case volumeCreated(String)
        /// Everything of the environment is gone.
        case deleted
    }

    package var time: Int64
    package var environment: String
    package var service: String
    package var kind: Kind
}
