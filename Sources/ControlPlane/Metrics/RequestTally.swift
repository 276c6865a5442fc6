import EnvironmentGraph
import Gateway

/// A gateway's counts, added up for services of environments. Made once for however many of them are asked for.
package struct RequestTally: Sendable {
    package struct Key: Sendable, Hashable {
        package var environment: EnvironmentID
        package var service: String

        package init(_ environment: EnvironmentID, _ service: String) {
            self.environment = environment
            self.service = service
        }
    }

    /// Requests to a service in an environment's context.
    package struct Requests: Sendable, Hashable {
        package var byProvider: [EnvironmentID: UInt64] = [:]
        /// By the gateway's error code: those that it answered itself.
        package var errors: [String: UInt64] = [:]

        package var total: UInt64 { byProvider.values.reduce(0, +) + errors.values.reduce(0, +) }
    }

    /// Milliseconds since 1970; a later one than before means that all counts began anew.
    package let since: Int64?
    private var asked: [Key: Requests] = [:]
    private var answered: [Key: UInt64] = [:]

    package init(_ snapshot: CountSnapshot) {
        since = snapshot.startedAt
        for call in snapshot.calls {
            // Without an overlay's context a request is in that of the address that it came to.
            let key = Key(call.context ?? call.callerEnvironment, call.service)
            if let provider = call.provider {
                asked[key, default: Requests()].byProvider[provider, default: 0] += call.count
                answered[Key(provider, call.service), default: 0] += call.count
            } else {
                asked[key, default: Requests()].errors[call.error ?? "none", default: 0] += call.count
            }
        }
    }

    package func requests(to service: String, in environment: EnvironmentID) -> Requests {
        asked[Key(environment, service)] ?? Requests()
    }

    /// By the environment's own copy, in whatever context.
    package func answered(by service: String, of environment: EnvironmentID) -> UInt64 {
        answered[Key(environment, service)] ?? 0
    }
}
