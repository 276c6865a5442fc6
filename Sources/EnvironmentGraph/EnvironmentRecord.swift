import Blueprints

/// A node of the graph of environments: what is wanted of one environment, and where its life has got to.
package struct EnvironmentRecord: Sendable, Hashable, Codable {
    /// The parent, and the revision of it that this environment was compared with.
    package struct ParentPin: Sendable, Hashable, Codable {
        package var id: EnvironmentID
        package var name: String
        package var revision: Int

        package init(id: EnvironmentID, name: String, revision: Int) {
            self.id = id
            self.name = name
            self.revision = revision
        }
    }

    package var id: EnvironmentID
    /// Unique among the environments that exist.
    package var name: String
    package var mode: EnvironmentMode
    package private(set) var state: EnvironmentState
    /// Why it is in this state, for a person.
    package var message: String?
    /// From 1; grows with every change of the spec.
    package var revision: Int
    /// Of its workloads, from 1; grows when something that failed is to be started anew.
    package var generation: Int
    /// Composed over the parent and normalised: every service, also those that are inherited.
    package var spec: BlueprintSpec
    /// What differs from the parent; for a baseline or an isolated environment every service is `added`.
    package var difference: Difference
    /// Only overlays.
    package var overlayID: String?
    package var parent: ParentPin?
    /// Milliseconds since 1970, UTC.
    package var createdAt: Int64
    package var updatedAt: Int64

    package init(
        id: EnvironmentID, name: String, mode: EnvironmentMode, revision: Int = 1, spec: BlueprintSpec,
        difference: Difference, overlayID: String? = nil, parent: ParentPin? = nil, createdAt: Int64
    ) {
        self.id = id
        self.name = name
        self.mode = mode
        state = .pending
        self.revision = revision
        generation = 1
        self.spec = spec
        self.difference = difference
        self.overlayID = overlayID
        self.parent = parent
        self.createdAt = createdAt
        updatedAt = createdAt
    }

    /// The services that this environment runs itself, sorted by name.
    package var localServices: [ServiceSpec] {
        spec.services.filter { difference.isLocal($0.name) }
    }

    /// Moves to another state; the only way to do so.
    ///
    /// - Throws: ``IllegalTransition`` where ``EnvironmentState/successors`` does not allow it. Staying is no move.
    package mutating func move(to next: EnvironmentState, message: String? = nil) throws(IllegalTransition) {
        guard next == state || state.successors.contains(next) else {
            throw IllegalTransition(from: state, to: next)
        }
        state = next
        self.message = message
    }
}

package struct IllegalTransition: Error, Sendable, Hashable {
    package let from: EnvironmentState
    package let to: EnvironmentState

    package init(from: EnvironmentState, to: EnvironmentState) {
        self.from = from
        self.to = to
    }
}
