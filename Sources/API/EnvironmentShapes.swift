/// An environment as the API shows it. Times are RFC 3339 in UTC.
package struct EnvironmentView: Codable, Sendable, Hashable {
    package struct Parent: Codable, Sendable, Hashable {
        package var id: String
        package var name: String
        /// The revision that this overlay was compared with.
        package var revision: Int
        /// The parent's revision now; the overlay is behind where it is greater.
        package var latestRevision: Int

        package init(id: String, name: String, revision: Int, latestRevision: Int) {
            self.id = id
            self.name = name
            self.revision = revision
            self.latestRevision = latestRevision
        }
    }

    package struct ServiceCount: Codable, Sendable, Hashable {
        /// Those that it runs itself.
        package var own: Int
        /// With those that it inherits or removed.
        package var all: Int

        package init(own: Int, all: Int) {
            self.own = own
            self.all = all
        }
    }

    package var id: String
    package var name: String
    /// `isolated`, `baseline` or `overlay`.
    package var mode: String
    package var state: String
    package var revision: Int
    /// Of its graph: equal where two environments mean the same. Absent in a brief list only.
    package var fingerprint: String?
    /// Where one environment is asked for.
    package var fingerprints: FingerprintsView?
    package var overlayId: String?
    package var parent: Parent?
    package var labels: [String: String]
    package var createdAt: String
    package var updatedAt: String
    /// When it is deleted by itself; absent for never.
    package var expiresAt: String?
    /// `true` where nobody may delete it.
    package var protected: Bool?
    /// Empty in a brief list.
    package var services: [ServiceView]
    /// In the place of the services, in a brief list only.
    package var serviceCount: ServiceCount?
    package var endpoints: [EndpointView]
    package var message: String?
    /// The last execution on it.
    package var execution: String?
    /// The registered layers that its revision was composed of, lowest first: `org@3`. Absent in lists, and for none.
    package var layers: [String]?

    package init(
        id: String, name: String, mode: String, state: String, revision: Int, overlayId: String? = nil,
        parent: Parent? = nil, labels: [String: String] = [:], createdAt: String, updatedAt: String,
        expiresAt: String? = nil, protected: Bool? = nil, services: [ServiceView] = [], endpoints: [EndpointView] = [],
        message: String? = nil,
        execution: String? = nil, fingerprint: String? = nil
    ) {
        self.fingerprint = fingerprint
        self.id = id
        self.name = name
        self.mode = mode
        self.state = state
        self.revision = revision
        self.overlayId = overlayId
        self.parent = parent
        self.labels = labels
        self.createdAt = createdAt
        self.updatedAt = updatedAt
        self.expiresAt = expiresAt
        self.protected = protected
        self.services = services
        self.endpoints = endpoints
        self.message = message
        self.execution = execution
    }
}

/// SHA-256 of canonical forms, as `sha256:` and 64 digits; names of environments mean nothing in them.
package struct FingerprintsView: Codable, Sendable, Hashable {
    /// What the environment is: its settings and what answers for every service.
    package var graph: String
    /// The steps that make it.
    package var plan: String
    /// Who answers for each service.
    package var resolution: String

    package init(graph: String, plan: String, resolution: String) {
        self.graph = graph
        self.plan = plan
        self.resolution = resolution
    }
}

package struct ServiceView: Codable, Sendable, Hashable {
    package struct Replicas: Codable, Sendable, Hashable {
        package var ready: Int
        package var desired: Int

        package init(ready: Int, desired: Int) {
            self.ready = ready
            self.desired = desired
        }
    }

    package var name: String
    package var provider: ProviderView
    package var state: String
    package var replicas: Replicas
    package var restarts: Int
    package var message: String?

    package init(
        name: String, provider: ProviderView, state: String, replicas: Replicas, restarts: Int, message: String? = nil
    ) {
        self.name = name
        self.provider = provider
        self.state = state
        self.replicas = replicas
        self.restarts = restarts
        self.message = message
    }
}

package struct ProviderView: Codable, Sendable, Hashable {
    /// `local`, `ancestor`, `baseline` or `shared`.
    package var kind: String
    /// Name of the environment whose copy answers.
    package var environment: String
    package var revision: Int

    package init(kind: String, environment: String, revision: Int) {
        self.kind = kind
        self.environment = environment
        self.revision = revision
    }
}

package struct EndpointView: Codable, Sendable, Hashable {
    package var service: String
    /// Works as it stands in every client, through the gateway, in this environment's context.
    package var url: String
    /// The same by host name.
    package var hostUrl: String

    package init(service: String, url: String, hostUrl: String) {
        self.service = service
        self.url = url
        self.hostUrl = hostUrl
    }
}

/// Who answers for a service in an environment, and why not somebody else.
package struct ResolutionView: Codable, Sendable, Hashable {
    package struct Candidate: Codable, Sendable, Hashable {
        package var environment: String
        package var kind: String
        package var chosen: Bool
        package var why: String

        package init(environment: String, kind: String, chosen: Bool, why: String) {
            self.environment = environment
            self.kind = kind
            self.chosen = chosen
            self.why = why
        }
    }

    package var service: String
    /// Absent where nobody answers (removed).
    package var provider: ProviderView?
    package var candidates: [Candidate]

    package init(service: String, provider: ProviderView?, candidates: [Candidate]) {
        self.service = service
        self.provider = provider
        self.candidates = candidates
    }
}

package struct LogLineView: Codable, Sendable, Hashable {
    /// RFC 3339 with milliseconds.
    package var time: String
    package var service: String
    /// `stdout`, `stderr`, `build` or `event`.
    package var stream: String
    package var text: String

    package init(time: String, service: String, stream: String, text: String) {
        self.time = time
        self.service = service
        self.stream = stream
        self.text = text
    }
}
