import Blueprints
import EnvironmentGraph

/// One revision of an environment's Blueprint as it was accepted.
package struct RevisionRecord: Sendable, Hashable, Codable {
    package var environment: EnvironmentID
    package var number: Int
    /// The Blueprint as the person wrote it.
    package var source: String
    /// The composed document with provenance (JSON of the `Blueprints` module's own form), which children are composed on.
    package var composed: String
    /// Contents of the files that the Blueprint names, by path.
    package var files: [String: String]
    package var createdAt: Int64
    /// What it was realised as, to compare with and to go back to; `nil` in records from before this was kept.
    package var spec: BlueprintSpec?
    package var difference: Difference?
    package var secrets: [SealedSecret]?
    /// The revisions of registered layers that it was composed of, lowest first; `nil` for none.
    package var layers: [SourceOrigin]?
    /// Of an overlay: what it stood on; `nil` in records from before this was kept.
    package var parent: EnvironmentRecord.ParentPin?
    /// Who asked for it, and why where it was not a Blueprint (`rollback to 3`); `nil` in records from before this was kept.
    package var actor: String?
    package var reason: String?

    package init(
        environment: EnvironmentID, number: Int, source: String, composed: String, files: [String: String],
        createdAt: Int64, spec: BlueprintSpec? = nil, difference: Difference? = nil, secrets: [SealedSecret]? = nil,
        layers: [SourceOrigin]? = nil
    ) {
        self.layers = layers
        self.spec = spec
        self.difference = difference
        self.secrets = secrets
        self.environment = environment
        self.number = number
        self.source = source
        self.composed = composed
        self.files = files
        self.createdAt = createdAt
    }
}

/// A service that holds a claim.
package struct ClaimHolder: Sendable, Hashable, Comparable {
    package var claim: String
    package var environment: EnvironmentID
    package var service: String

    package init(claim: String, environment: EnvironmentID, service: String) {
        self.claim = claim
        self.environment = environment
        self.service = service
    }

    package static func < (left: Self, right: Self) -> Bool {
        (left.claim, left.environment, left.service) < (right.claim, right.environment, right.service)
    }

    /// What an environment's own services hold.
    package static func holders(in record: EnvironmentRecord) -> [ClaimHolder] {
        // Most hold nothing, and this is asked at every saving.
        guard record.spec.services.contains(where: { !$0.claims.isEmpty }) else { return [] }
        return record.localServices.flatMap { service in
            service.claims.map { ClaimHolder(claim: $0, environment: record.id, service: service.name) }
        }
    }
}

/// A port that is given to a service's own listening or to one of the gateway's addresses, until its environment goes.
package struct PortAssignment: Sendable, Hashable, Codable {
    package enum Purpose: Sendable, Hashable, Codable {
        /// A copy of `service` listens here itself.
        case service(String, port: String)
        /// The gateway listens here for calls from `caller` (`nil`: from outside) to a port of `service`.
        case address(caller: String?, service: String, port: String)
    }

    package var environment: EnvironmentID
    package var purpose: Purpose
    package var number: Int

    package init(environment: EnvironmentID, purpose: Purpose, number: Int) {
        self.environment = environment
        self.purpose = purpose
        self.number = number
    }
}

/// A secret's value, encrypted by whoever owns the key; the store never sees the clear text.
package struct SealedSecret: Sendable, Hashable, Codable {
    package var environment: EnvironmentID
    package var service: String
    package var name: String
    package var sealed: [UInt8]

    package init(environment: EnvironmentID, service: String, name: String, sealed: [UInt8]) {
        self.environment = environment
        self.service = service
        self.name = name
        self.sealed = sealed
    }
}

/// The reply to a POST with an `Idempotency-Key`, given again to its repetition.
package struct IdempotentReply: Sendable, Hashable, Codable {
    package var key: String
    /// SHA-256 of method, path and body, so that a reused key with other content is refused.
    package var fingerprint: String
    package var status: Int
    package var body: String
    package var createdAt: Int64

    package init(key: String, fingerprint: String, status: Int, body: String, createdAt: Int64) {
        self.key = key
        self.fingerprint = fingerprint
        self.status = status
        self.body = body
        self.createdAt = createdAt
    }
}

package struct AuditEntry: Sendable, Hashable, Codable {
    package var time: Int64
    /// `owner` on the Unix socket, a token's name elsewhere.
    package var actor: String
    /// The operation's id in the catalogue, such as `createEnvironment`.
    package var action: String
    package var subject: String
    /// `accepted`, with the risks that were allowed, or the error's code.
    package var outcome: String

    package init(time: Int64, actor: String, action: String, subject: String, outcome: String) {
        self.time = time
        self.actor = actor
        self.action = action
        self.subject = subject
        self.outcome = outcome
    }
}

package struct StoreError: Error, Sendable, Hashable, CustomStringConvertible {
    package enum Code: String, Sendable, Hashable {
        case nameTaken, portTaken
        /// Disk full, read-only, no permission.
        case unwritable
        /// Another process has the store.
        case locked
        /// Written by a newer program.
        case newerSchema
        /// What is stored cannot be read; it is left as it is.
        case corrupt
        case ioError
    }

    package var code: Code
    package var message: String
    package var hint: String?

    package init(_ code: Code, _ message: String, hint: String? = nil) {
        self.code = code
        self.message = message
        self.hint = hint
    }

    package var description: String { message }
}
