import EnvironmentGraph

/// An environment that this one stands on.
package struct AncestorFacts: Sendable, Hashable {
    package var record: EnvironmentRecord
    /// State and message of each service that it runs itself, by name.
    package var services: [String: String]
    package var messages: [String: String]

    /// - Parameter services: the runtime's state, such as `ready`, by name; empty where the runtime has said nothing.
    package init(record: EnvironmentRecord, services: [String: String] = [:], messages: [String: String] = [:]) {
        self.record = record
        self.services = services
        self.messages = messages
    }
}

/// An address of the gateway: who uses it to reach whom.
package struct AddressFact: Sendable, Hashable {
    /// `nil`: from outside.
    package var caller: String?
    package var service: String
    package var port: Int

    package init(caller: String?, service: String, port: Int) {
        self.caller = caller
        self.service = service
        self.port = port
    }
}

package struct GatewayFacts: Sendable, Hashable {
    /// Why it does not answer; `nil` where it does.
    package var problem: String?
    /// Of this environment's addresses: those that it could not listen on, with the reason, by port.
    package var refused: [Int: String]
    /// What it answered itself instead of a service.
    package var errors: [ErrorCount]
    /// Calls of this environment's services that dropped the context of what they answered.
    package var leaks: [LeakCount]

    package struct LeakCount: Sendable, Hashable {
        package var caller: String
        package var service: String
        /// Whether the context was put right.
        package var isRestored: Bool
        package var count: UInt64

        package init(caller: String, service: String, isRestored: Bool, count: UInt64) {
            self.caller = caller
            self.service = service
            self.isRestored = isRestored
            self.count = count
        }
    }

    package struct ErrorCount: Sendable, Hashable {
        /// The gateway's code, such as `unknown_environment`.
        package var error: String
        package var caller: String
        package var service: String
        package var count: UInt64

        package init(error: String, caller: String, service: String, count: UInt64) {
            self.error = error
            self.caller = caller
            self.service = service
            self.count = count
        }
    }

    package init(
        problem: String? = nil, refused: [Int: String] = [:], errors: [ErrorCount] = [], leaks: [LeakCount] = []
    ) {
        self.leaks = leaks
        self.problem = problem
        self.refused = refused
        self.errors = errors
    }
}

package struct MachineFacts: Sendable, Hashable {
    package var stateFolder: String
    /// Bytes, for those who are not root, where the state folder is; `nil` where nobody could tell.
    package var freeBytes: UInt64?
    package var freeFiles: UInt64?
    /// How many files a process may have open.
    package var openFilesLimit: UInt64?

    package init(
        stateFolder: String = "", freeBytes: UInt64? = nil, freeFiles: UInt64? = nil, openFilesLimit: UInt64? = nil
    ) {
        self.stateFolder = stateFolder
        self.freeBytes = freeBytes
        self.freeFiles = freeFiles
        self.openFilesLimit = openFilesLimit
    }
}

/// A TCP socket that somebody listens on.
package struct SocketFact: Sendable, Hashable {
    /// `127.0.0.1`, `0.0.0.0`, `::1`, …
    package var address: String
    package var port: Int
    package var pid: Int32
    package var program: String
    /// The service of this environment that the process belongs to.
    package var service: String?

    package init(address: String, port: Int, pid: Int32, program: String, service: String? = nil) {
        self.address = address
        self.port = port
        self.pid = pid
        self.program = program
        self.service = service
    }

    var written: String {
        let place = address.contains(":") ? "[\(address)]:\(port)" : "\(address):\(port)"
        return "pid \(pid) (\(program)\(service.map { ", service \($0)" } ?? "")) listens on \(place)"
    }

    /// Whether a connection to 127.0.0.1 gets there.
    var answersLoopback: Bool {
        ["0.0.0.0", "127.0.0.1", "::", "::ffff:127.0.0.1", "::ffff:0.0.0.0"].contains(address)
    }
}

/// A recorded difference between what is wanted and what is.
package struct DeviationFact: Sendable, Hashable {
    /// `volumeMissing`, `fileChanged`, `workloadChanged`, `workloadUnexpected`, `orphan`, `processEnded`, …
    package var kind: String
    package var service: String?
    package var message: String
    package var remedy: String?
    package var isOpen: Bool

    package init(kind: String, service: String?, message: String, remedy: String? = nil, isOpen: Bool) {
        self.kind = kind
        self.service = service
        self.message = message
        self.remedy = remedy
        self.isOpen = isOpen
    }
}
