/// A Blueprint after composition, validation and normalising: what is wanted.
///
/// Normal form: defaults filled in, quantities and ports in one form, `services` sorted by name, lists whose order
/// carries no meaning sorted, every path absolute. Two specs that mean the same are equal, so differences are computed
/// by comparing values, never text.
package struct BlueprintSpec: Sendable, Hashable, Codable {
    package var name: String
    package var description: String?
    package var labels: [String: String]
    /// Sorted by name.
    package var services: [ServiceSpec]
    package var routing: RoutingSpec
    package var runtime: RuntimeChoice
    package var repair: RepairPolicy
    /// `nil` in specs that were accepted before there was one.
    private var times: LifecycleSpec?
    /// `nil` where it may run anywhere.
    package var residency: ResidencySpec?

    /// What happens by time alone.
    package var lifecycle: LifecycleSpec {
        get { times ?? LifecycleSpec() }
        set { times = newValue == LifecycleSpec() ? nil : newValue }
    }

    package init(
        name: String, description: String? = nil, labels: [String: String] = [:], services: [ServiceSpec],
        routing: RoutingSpec = RoutingSpec(), runtime: RuntimeChoice = .auto, repair: RepairPolicy = .auto,
        lifecycle: LifecycleSpec = LifecycleSpec()
    ) {
        self.name = name
        self.description = description
        self.labels = labels
        self.services = services.sorted { $0.name < $1.name }
        self.routing = routing
        self.runtime = runtime
        self.repair = repair
        self.lifecycle = lifecycle
    }

    package func service(_ name: String) -> ServiceSpec? { services.first { $0.name == name } }
}

/// Where an environment may run and its data may rest, by the names that operators give their servers' regions.
package struct ResidencySpec: Sendable, Hashable, Codable {
    /// Sorted; empty for every region that is not denied.
    package var allow: [String]
    /// Sorted.
    package var deny: [String]

    package init(allow: [String] = [], deny: [String] = []) {
        self.allow = allow.sorted()
        self.deny = deny.sorted()
    }

    package func permits(_ region: String) -> Bool {
        (allow.isEmpty || allow.contains(region)) && !deny.contains(region)
    }
}

package enum RuntimeChoice: String, Sendable, Hashable, Codable, CaseIterable {
    case auto, process, container, kubernetes
}

package enum RepairPolicy: String, Sendable, Hashable, Codable, CaseIterable {
    case auto, report
}

/// What kind of environment a Blueprint asks for.
package enum EnvironmentMode: String, Sendable, Hashable, Codable, CaseIterable {
    case isolated, baseline, overlay, shadow
}

package struct RoutingSpec: Sendable, Hashable, Codable {
    /// `nil` where the Blueprint does not say, so that the command that creates the environment may fill it in.
    package var mode: EnvironmentMode?
    /// Id or name of the parent (a baseline, or another overlay).
    package var baselineId: String?
    package var overlayId: String?
    package var headerName: String
    package var propagateHeader: Bool
    package var onUnknownContext: UnknownContextPolicy
    package var onLeak: LeakPolicy
    /// `nil` in what was stored before there was any: `off`.
    private var attributed: LeakAttribution?

    package var attribution: LeakAttribution {
        get { attributed ?? .off }
        set { attributed = newValue == .off ? nil : newValue }
    }

    /// `nil` for `off`.
    private var carried: CarryPolicy?

    package var carry: CarryPolicy {
        get { carried ?? .off }
        set { carried = newValue == .off ? nil : newValue }
    }

    package init(
        mode: EnvironmentMode? = nil, baselineId: String? = nil, overlayId: String? = nil,
        headerName: String = "x-msx-env", propagateHeader: Bool = true,
        onUnknownContext: UnknownContextPolicy = .reject, onLeak: LeakPolicy = .report
    ) {
        self.mode = mode
        self.baselineId = baselineId
        self.overlayId = overlayId
        self.headerName = headerName
        self.propagateHeader = propagateHeader
        self.onUnknownContext = onUnknownContext
        self.onLeak = onLeak
    }
}

package enum UnknownContextPolicy: String, Sendable, Hashable, Codable, CaseIterable {
    case reject, baseline
}

/// Whether an overlay makes local copies of the callers that are known to forward no context, between the entry and what
/// changed.
package enum CarryPolicy: String, Sendable, Hashable, Codable, CaseIterable {
    case off, auto
}

/// Whether a call without a context is put into the one of the only request that its caller answers.
package enum LeakAttribution: String, Sendable, Hashable, Codable, CaseIterable {
    case off
    case soleRequest = "sole-request"
}

package enum LeakPolicy: String, Sendable, Hashable, Codable, CaseIterable {
    case report, reject
}
