import Storage

/// A deviation as it was seen in one look, with what would mend it.
struct Finding: Sendable, Hashable {
    enum Remedy: Sendable, Hashable {
        /// The runtime starts it again by the service's restart policy, or not.
        case itself
        /// Tell the runtime again what is wanted of this instance.
        case apply
        case stop
        case restoreFiles
        /// Make the service's volumes anew, start and initialise it again.
        case beginAnew
    }

    struct Key: Sendable, Hashable {
        var kind: DeviationRecord.Kind
        var service: String?
    }

    var kind: DeviationRecord.Kind
    /// Or one of its instances.
    var service: String?
    var message: String
    var remedy: Remedy
    /// `service/volume`: those that are gone.
    var volumes: Set<String> = []

    var key: Key { Key(kind: kind, service: service) }
}

extension DeviationRecord {
    var key: Finding.Key { Finding.Key(kind: kind, service: service) }
}

extension Finding.Remedy {
    /// What was done, for a person.
    var done: String {
        switch self {
        case .itself: "started again, as its restart policy says"
        case .apply: "applied again"
        case .stop: "stopped"
        case .restoreFiles: "written again"
        case .beginAnew: "made again, empty, and initialised again; what was in it is lost"
        }
    }

    /// What a person can do, for an environment that mends nothing by itself.
    func advice(_ environment: String) -> String {
        switch self {
        case .itself: "microstax env diagnose \(environment)"
        case .beginAnew:
            "put it back where it was, or begin again without its data: microstax env repair \(environment)"
        case .apply, .stop, .restoreFiles: "microstax env repair \(environment)"
        }
    }
}
