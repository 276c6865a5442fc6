import Blueprints

/// Why a request cannot be, or should not be, beside what is there already. Found before anything is provisioned.
package struct Conflict: Sendable, Hashable {
    /// Documented in `docs/reference/conflicts.md`; a test holds the page to this list.
    package enum Code: String, Sendable, Hashable, CaseIterable {
        case overlayIDTaken = "overlay_id_taken"
        case similarServiceName = "similar_service_name"
        case portRemoved = "port_removed"
        case protocolChanged = "protocol_changed"
        case removedServiceNeeded = "removed_service_needed"
        case claimHeld = "claim_held"
        case initOnInheritedData = "init_on_inherited_data"
        case contractBroken = "contract_broken"
        case staleBase = "stale_base"
        case rebaseCollision = "rebase_collision"
        case headerContradicts = "header_contradicts"
        case residencyContradicts = "residency_contradicts"
        case residencyUnknown = "residency_unknown"

        /// Whether a person may accept it (`--allow`). What would leave requests without an answer, or send them to the wrong
        /// one, nobody may.
        package var isAllowable: Bool {
            switch self {
            case .overlayIDTaken, .headerContradicts, .residencyContradicts: false
            default: true
            }
        }
    }

    package enum Severity: String, Sendable, Hashable {
        case error, warning
    }

    /// One side of it: a field of an environment's Blueprint.
    package struct Side: Sendable, Hashable {
        /// `nil`: the request.
        package var environment: EnvironmentID?
        /// Keys and names from the top: `["services", "orders", "claims"]`. Empty for the Blueprint as a whole.
        package var path: [String]
        /// Known once ``locate(_:)`` was called.
        package var location: SourceLocation?

        package init(_ environment: EnvironmentID? = nil, _ path: [String] = []) {
            self.environment = environment
            self.path = path
        }

        /// `path` below a service.
        package static func service(_ name: String, _ field: String? = nil, of environment: EnvironmentID? = nil)
            -> Side
        {
            let fields = field?.split(separator: ".").map(String.init) ?? []
            return Side(environment, ["services", name] + fields)
        }
    }

    package var code: Code
    package var severity: Severity
    package var message: String
    package var mine: Side
    package var theirs: Side?
    /// What to do about it.
    package var wayOut: String

    package init(
        _ code: Code, _ message: String, severity: Severity = .error, mine: Side, theirs: Side? = nil,
        wayOut: String
    ) {
        self.code = code
        self.severity = severity
        self.message = message
        self.mine = mine
        self.theirs = theirs
        self.wayOut = wayOut
    }

    /// Finds where both sides stand, as far as that is not known (a contract's places are its own).
    ///
    /// - Parameter document: an environment's composed Blueprint, the request's for `nil`.
    package mutating func locate(_ document: (EnvironmentID?) -> BlueprintDocument?) {
        if mine.location == nil { mine.location = document(mine.environment)?.location(nearest: mine.path) }
        guard let side = theirs, side.location == nil else { return }
        theirs?.location = document(side.environment)?.location(nearest: side.path)
    }
}
