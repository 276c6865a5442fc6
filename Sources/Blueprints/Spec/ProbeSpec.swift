/// The probes of a service. An absent readiness probe means: TCP on the first port, or none where there is no port.
package struct ProbesSpec: Sendable, Hashable, Codable {
    package var readiness: ProbeSpec?
    package var liveness: ProbeSpec?
    package var startup: ProbeSpec?

    package init(readiness: ProbeSpec? = nil, liveness: ProbeSpec? = nil, startup: ProbeSpec? = nil) {
        self.readiness = readiness
        self.liveness = liveness
        self.startup = startup
    }
}

package struct ProbeSpec: Sendable, Hashable, Codable {
    package enum Check: Sendable, Hashable, Codable {
        /// Passes on status 200...399. `port` names a port of the service; `nil` is the first.
        case http(path: String, port: String?)
        /// Passes when a connection is accepted.
        case tcp(port: String?)
        /// Passes when the command exits with 0 in the service's folder and environment.
        case exec(command: [String])
        /// Passes when a line of the service's output since its start matches the regular expression.
        case log(pattern: String)
    }

    package var check: Check
    package var periodSeconds: Double
    package var timeoutSeconds: Double
    package var failureThreshold: Int

    package init(
        _ check: Check, periodSeconds: Double = 1, timeoutSeconds: Double = 2, failureThreshold: Int = 60
    ) {
        self.check = check
        self.periodSeconds = periodSeconds
        self.timeoutSeconds = timeoutSeconds
        self.failureThreshold = failureThreshold
    }
}

/// Work that is done once per data volume: after the service is ready, before its dependents start.
package enum InitSpec: Sendable, Hashable, Codable {
    /// `script` is an absolute path on the client's machine (the key of the request's `files`).
    case sql(SQLInitSpec)
    case command([String])
    case http(HTTPInitSpec)
}

package struct SQLInitSpec: Sendable, Hashable, Codable {
    package enum Engine: String, Sendable, Hashable, Codable, CaseIterable {
        case postgres, mysql
    }

    /// The script's absolute path; used to name it in errors, and to find it in the request's files.
    package var script: String
    package var engine: Engine?
    package var user: String?
    /// A template, so that it may name a secret.
    package var password: String?
    package var database: String?

    package init(
        script: String, engine: Engine? = nil, user: String? = nil, password: String? = nil, database: String? = nil
    ) {
        self.script = script
        self.engine = engine
        self.user = user
        self.password = password
        self.database = database
    }
}

package struct HTTPInitSpec: Sendable, Hashable, Codable {
    package var method: String
    package var path: String
    package var port: String?
    package var headers: [String: String]
    package var body: String?

    package init(
        method: String = "POST", path: String, port: String? = nil, headers: [String: String] = [:],
        body: String? = nil
    ) {
        self.method = method
        self.path = path
        self.port = port
        self.headers = headers
        self.body = body
    }
}
