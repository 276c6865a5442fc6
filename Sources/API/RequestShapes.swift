/// Body of `POST /v1/environments`, `/v1/baselines`, `/v1/baselines/{id}/overlays` and `/v1/blueprints/validate`.
package struct CreateRequest: Codable, Sendable, Hashable {
    /// The Blueprint's text.
    package var blueprint: String
    /// Its path on the client's machine, for messages; `blueprint.yaml` where a client does not say.
    package var file: String
    /// Absolute folder of the Blueprint: where local processes run, and what relative paths mean. `/` where a client does
    /// not say.
    package var folder: String
    /// Contents of the files that the Blueprint names, by the absolute path.
    package var files: [String: String]
    /// Values that the client read (`fromEnv`, `fromFile`), by `<service>/<secret>`.
    package var secrets: [String: String]
    /// `isolated` unless the Blueprint or the route says otherwise.
    package var mode: String?
    /// Id or name of an overlay's parent, where the route does not name it.
    package var parent: String?
    package var profile: String?
    /// Risks that the person accepts, such as `unhealthy-parent`.
    package var allow: [String]
    /// The services that will be tried; what they do not need starts when somebody needs it. Empty for everything.
    package var focus: [String] = []
    /// The same as `routing.carry: auto`.
    package var carry: Bool
    /// Answer with the plan and do nothing.
    package var dryRun: Bool

    package init(
        blueprint: String, file: String, folder: String, files: [String: String] = [:],
        secrets: [String: String] = [:], mode: String? = nil, parent: String? = nil, profile: String? = nil,
        allow: [String] = [], carry: Bool = false, dryRun: Bool = false
    ) {
        self.carry = carry
        self.blueprint = blueprint
        self.file = file
        self.folder = folder
        self.files = files
        self.secrets = secrets
        self.mode = mode
        self.parent = parent
        self.profile = profile
        self.allow = allow
        self.dryRun = dryRun
    }
}

extension CreateRequest {
    private enum CodingKeys: String, CodingKey, CaseIterable {
        case blueprint, file, folder, files, secrets, mode, parent, profile, allow, focus, carry, dryRun
    }

    /// Only `blueprint` must be there. A key that does not exist is refused, so that a misspelt `dryRun` is never a real
    /// run.
    package init(from decoder: any Decoder) throws {
        try decoder.refuseKeys(except: CodingKeys.allCases.map(\.rawValue))
        let body = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            blueprint: try body.decode(String.self, forKey: .blueprint),
            file: try body.decodeIfPresent(String.self, forKey: .file) ?? "blueprint.yaml",
            folder: try body.decodeIfPresent(String.self, forKey: .folder) ?? "/",
            files: try body.decodeIfPresent([String: String].self, forKey: .files) ?? [:],
            secrets: try body.decodeIfPresent([String: String].self, forKey: .secrets) ?? [:],
            mode: try body.decodeIfPresent(String.self, forKey: .mode),
            parent: try body.decodeIfPresent(String.self, forKey: .parent),
            profile: try body.decodeIfPresent(String.self, forKey: .profile),
            allow: try body.decodeIfPresent([String].self, forKey: .allow) ?? [],
            carry: try body.decodeIfPresent(Bool.self, forKey: .carry) ?? false,
            dryRun: try body.decodeIfPresent(Bool.self, forKey: .dryRun) ?? false)
        focus = try body.decodeIfPresent([String].self, forKey: .focus) ?? []
    }
}

/// Reply to a create (`202`), or to its dry run (`200`, without `execution` and with an environment that has no id).
package struct AcceptedView: Codable, Sendable, Hashable {
    package var environment: EnvironmentView
    package var execution: ExecutionView?
    package var plan: [StepView]
    /// How it differs from the parent, service by service.
    package var difference: [DifferenceView]
    package var warnings: [ErrorDetail]
    /// What starts with it, and what when it is needed.
    package var services: [PlannedServiceView]?
    /// Of the steps.
    package var planFingerprint: String?

    package init(
        environment: EnvironmentView, execution: ExecutionView?, plan: [StepView], difference: [DifferenceView],
        warnings: [ErrorDetail]
    ) {
        self.environment = environment
        self.execution = execution
        self.plan = plan
        self.difference = difference
        self.warnings = warnings
    }
}

package struct DifferenceView: Codable, Sendable, Hashable {
    package var service: String
    /// `added`, `changed`, `removed`, `inherited`, `follows` or `carried`.
    package var kind: String
    package var reasons: [String]
    /// Of a changed service, sorted by path.
    package var fields: [FieldChangeView]

    package init(service: String, kind: String, reasons: [String], fields: [FieldChangeView] = []) {
        self.service = service
        self.kind = kind
        self.reasons = reasons
        self.fields = fields
    }
}

/// A field with its value before and after; absent where there is none. What is secret is not shown.
package struct FieldChangeView: Codable, Sendable, Hashable {
    /// `env.RATE`, `ports.http.containerPort`.
    package var path: String
    package var old: String?
    package var new: String?

    package init(path: String, old: String?, new: String?) {
        self.path = path
        self.old = old
        self.new = new
    }
}

/// Body of `POST /v1/environments/{id}/stop|resume|retry`; may be absent.
package struct ChangeRequest: Codable, Sendable, Hashable {
    /// Risks that the person accepts, such as `unhealthy-parent` or `repeat-unknown`.
    package var allow: [String]
    package var dryRun: Bool

    package init(allow: [String] = [], dryRun: Bool = false) {
        self.allow = allow
        self.dryRun = dryRun
    }
}

extension ChangeRequest {
    private enum CodingKeys: String, CodingKey, CaseIterable {
        case allow, dryRun
    }

    /// Everything may be absent; a key that does not exist is refused.
    package init(from decoder: any Decoder) throws {
        try decoder.refuseKeys(except: CodingKeys.allCases.map(\.rawValue))
        let body = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            allow: try body.decodeIfPresent([String].self, forKey: .allow) ?? [],
            dryRun: try body.decodeIfPresent(Bool.self, forKey: .dryRun) ?? false)
    }
}

/// Reply to a stop, resume, retry or delete (`202`); `200` without `execution` for a dry run, or where it is so already.
package struct ChangeView: Codable, Sendable, Hashable {
    package var environment: EnvironmentView
    package var execution: ExecutionView?
    package var plan: [StepView]
    /// Something is wanted now, or would be, that was not before; also where nothing has to be carried out for it.
    package var isChanged: Bool?
    package var warnings: [ErrorDetail]?
    /// Of a rebase: what becomes different.
    package var difference: SpecDifferenceView?

    package init(
        environment: EnvironmentView, execution: ExecutionView?, plan: [StepView], isChanged: Bool? = nil,
        warnings: [ErrorDetail]? = nil
    ) {
        self.isChanged = isChanged
        self.warnings = warnings
        self.environment = environment
        self.execution = execution
        self.plan = plan
    }
}

/// Body of `POST /v1/environments/{id}/scale`.
package struct ScaleRequest: Codable, Sendable, Hashable {
    /// Copies wanted (0 to 100), by service.
    package var replicas: [String: Int]
    package var dryRun: Bool

    package init(replicas: [String: Int], dryRun: Bool = false) {
        self.replicas = replicas
        self.dryRun = dryRun
    }
}

extension ScaleRequest {
    private enum CodingKeys: String, CodingKey, CaseIterable {
        case replicas, dryRun
    }

    /// A key that does not exist is refused.
    package init(from decoder: any Decoder) throws {
        try decoder.refuseKeys(except: CodingKeys.allCases.map(\.rawValue))
        let body = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            replicas: try body.decode([String: Int].self, forKey: .replicas),
            dryRun: try body.decodeIfPresent(Bool.self, forKey: .dryRun) ?? false)
    }
}

package struct ValidationView: Codable, Sendable, Hashable {
    package var valid: Bool
    package var diagnostics: [ErrorDetail]

    package init(valid: Bool, diagnostics: [ErrorDetail]) {
        self.valid = valid
        self.diagnostics = diagnostics
    }
}

/// `GET /v1/health`.
package struct HealthView: Codable, Sendable, Hashable {
    package var version: String
    package var pid: Int32
    package var startedAt: String
    /// The state folder that the server holds.
    package var folder: String
    /// `running`, or why the gateway cannot be reached.
    package var gateway: String
    /// The shared port for host names.
    package var edgePort: Int?

    package init(
        version: String, pid: Int32, startedAt: String, folder: String, gateway: String, edgePort: Int?
    ) {
        self.version = version
        self.pid = pid
        self.startedAt = startedAt
        self.folder = folder
        self.gateway = gateway
        self.edgePort = edgePort
    }
}

/// One row of `GET /v1/environments/{id}/calls`: who called whom in which environment, and who answered.
package struct CallView: Codable, Sendable, Hashable {
    package var caller: String
    package var callerEnvironment: String
    package var service: String
    package var context: String?
    package var provider: String?
    package var error: String?
    /// The caller dropped its context: `suspected`, or `restored` from the only request that it answered.
    package var leak: String?
    /// The header that the caller would have to forward, or `baggage`, `tracestate`, `traceparent`; only of a leak.
    package var carrier: String?
    package var count: UInt64

    package init(
        caller: String, callerEnvironment: String, service: String, context: String?, provider: String?,
        error: String?, leak: String? = nil, carrier: String? = nil, count: UInt64
    ) {
        self.carrier = carrier
        self.leak = leak
        self.caller = caller
        self.callerEnvironment = callerEnvironment
        self.service = service
        self.context = context
        self.provider = provider
        self.error = error
        self.count = count
    }
}
