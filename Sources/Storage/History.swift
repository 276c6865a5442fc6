import EnvironmentGraph

/// Something that happened to an environment, for people who ask later. The store keeps the last
/// ``EventRecord/keptPerEnvironment`` of each environment, also of one that is gone.
package struct EventRecord: Sendable, Hashable, Codable {
    package enum Kind: String, Sendable, Hashable, Codable, CaseIterable {
        /// Its state is another one now; the message says why.
        case state
        case executionStarted, executionEnded
        /// A person or a rule changed what is wanted: revision, scale, protection, expiry.
        case changed
        /// Something will happen that a person may want to prevent.
        case warning
        case deviationFound, deviationMended
    }

    package static let keptPerEnvironment = 1_000

    /// Given by the store when it is appended, growing over all environments; 0 before.
    package var sequence: Int64
    /// Milliseconds since 1970, UTC.
    package var time: Int64
    package var environment: EnvironmentID
    package var name: String
    package var kind: Kind
    package var service: String?
    /// Who caused it: `owner`, a token's name, or `microstax` itself.
    package var actor: String?
    /// One line for a person.
    package var message: String

    package init(
        sequence: Int64 = 0, time: Int64, environment: EnvironmentID, name: String, kind: Kind, service: String? = nil,
        actor: String? = nil, message: String
    ) {
        self.sequence = sequence
        self.time = time
        self.environment = environment
        self.name = name
        self.kind = kind
        self.service = service
        self.actor = actor
        self.message = message
    }
}

/// What is observed differs from what is wanted, without an execution that explains it. One record for each
/// (environment, service, kind): the same thing seen again counts up.
package struct DeviationRecord: Sendable, Hashable, Codable {
    package enum Kind: String, Sendable, Hashable, Codable, CaseIterable {
        /// A process ended that nobody had asked to end.
        case processEnded
        /// It ends again and again, with growing pauses between its starts.
        case crashLoop
        /// The runtime does not know a service that should run.
        case workloadMissing
        /// The runtime runs something else than what is wanted.
        case workloadChanged
        /// Something runs that should not.
        case workloadUnexpected
        /// A volume with data is not there any more.
        case volumeMissing
        /// A file that the platform wrote was changed or removed by somebody else.
        case fileChanged
        /// The runtime has something of an environment that nobody knows.
        case orphan
    }

    package enum State: String, Sendable, Hashable, Codable, CaseIterable {
        case open
        /// The platform put it right.
        case mended
        /// It went away without the platform.
        case gone
    }

    package var environment: EnvironmentID
    package var service: String?
    package var kind: Kind
    package var state: State
    /// What was seen, for a person.
    package var message: String
    /// What was done about it, or what can be done.
    package var remedy: String?
    /// Times that it was found anew.
    package var count: Int
    /// Milliseconds since 1970, UTC.
    package var firstSeenAt: Int64
    package var lastSeenAt: Int64
    /// When the platform last did something about it; `nil` where it did nothing.
    package var actedAt: Int64?
    /// Somebody asked to have it mended, whatever the Blueprint's `repair` says.
    package var isToBeMended: Bool?

    package init(
        environment: EnvironmentID, service: String?, kind: Kind, state: State = .open, message: String,
        remedy: String? = nil, count: Int = 1, firstSeenAt: Int64, lastSeenAt: Int64
    ) {
        self.environment = environment
        self.service = service
        self.kind = kind
        self.state = state
        self.message = message
        self.remedy = remedy
        self.count = count
        self.firstSeenAt = firstSeenAt
        self.lastSeenAt = lastSeenAt
    }
}
