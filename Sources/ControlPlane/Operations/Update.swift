import API
import Blueprints
import EnvironmentGraph
import Foundation
import HTTPTransport
import Orchestration
import Storage

/// Making an environment into another revision of itself: by a Blueprint, by a number of replicas, or back to what was
/// wanted before. What runs unchanged goes on running.
struct Update: Sendable {
    let creation: Creation
    /// Risks that the person accepts.
    var allow: Set<String> = []

    private var store: any Store { creation.store }
    private var outside: Outside { creation.outside }

    /// What is to be realised from now on.
    struct Wish: Sendable {
        var kind: ExecutionRecord.Kind
        /// The revision that it was made for; another one meanwhile is a conflict.
        var base: Int
        var spec: BlueprintSpec
        var difference: Difference
        /// `nil` where only replicas change.
        var revision: RevisionRecord?
        /// `nil`: they stay.
        var secrets: [SealedSecret]?
        /// Services whose secrets have other values now.
        var changedSecrets: Set<String> = []
        var reason: String?
        var warnings: [ErrorDetail] = []
    }

    // MARK: Wishes

    /// A Blueprint in place of the present one; over the revision of the parent that the environment is pinned to.
    func wish(_ request: CreateRequest, for record: EnvironmentRecord) async throws -> Wish {
        let composed = try await creation.compose(request, mode: record.mode) { sketch in
            if let pin = record.parent {
                _ = try Creation.parentName(pin.name, sketch?.routing.baselineId)
            }
            return try await pinnedParent(of: record)
        }
        guard composed.spec.name == record.name else {
            throw APIProblem(
                .invalidRequest, "the Blueprint is of \(shortened(composed.spec.name)), not of \(record.name)",
                hint: "an environment keeps its name; create another one with `microstax env create`")
        }
        if record.mode == .overlay, (composed.spec.routing.overlayId ?? record.name) != record.overlayID {
            throw APIProblem(
                .invalidRequest, "an overlay keeps its overlayId, \(record.overlayID ?? "")",
                hint: "requests carry it; create another overlay instead")
        }
        let concealed = creation.vault.concealed(composed.spec)
        let difference = Difference.between(request: concealed, parent: composed.parent?.spec)
        var revision = try creation.revision(
            record.revision + 1, of: record.id, request, composed, concealed, difference)
        var wanted = record
        (wanted.spec, wanted.difference) = (concealed, difference)
        let sealed = try creation.vault.sealed(
            composed.spec, of: wanted, parent: composed.parent?.spec, given: request.secrets, token: outside.token)
        let old = try await store.read { try $0.secrets(of: record.id) }
        let (secrets, changed) = try creation.vault.updated(sealed, from: old, spec: concealed)
        revision.secrets = secrets
        return Wish(
            kind: .update, base: record.revision, spec: concealed, difference: difference, revision: revision,
            secrets: secrets, changedSecrets: changed, warnings: composed.warnings.map { ErrorDetail($0) })
    }

    /// - Parameter replicas: by service.
    func wish(replicas: [String: Int], for record: EnvironmentRecord) throws -> Wish {
        var spec = record.spec
        for (name, count) in replicas.sorted(by: { $0.key < $1.key }) {
            guard let index = spec.services.firstIndex(where: { $0.name == name }) else {
                let names = record.localServices.map(\.name).joined(separator: ", ")
                throw APIProblem(
                    .notFound, "\(record.name) has no service \(shortened(name))", hint: "it runs: \(names)")
            }
            guard record.difference.isLocal(name) else {
                throw APIProblem(
                    .invalidRequest, "\(record.name) does not run \(name) itself but inherits it",
                    hint: record.parent.map { "microstax env scale \($0.name) \(name)=\(count)" })
            }
            guard (0...Self.maxReplicas).contains(count) else {
                throw APIProblem(.invalidRequest, "replicas are 0 to \(Self.maxReplicas), not \(count)")
            }
            if count > 1, let volume = spec.services[index].volumes.first(where: { $0.kind != .ephemeral }) {
                throw APIProblem(
                    .invalidRequest, "\(name) keeps data in its volume \(volume.name), which two copies cannot share",
                    hint: "only services without such volumes can have several replicas")
            }
            spec.services[index].replicas = count
        }
        return Wish(kind: .scale, base: record.revision, spec: spec, difference: record.difference)
    }

    static let maxReplicas = 100

    /// Back to what was wanted before an execution; within the caller's transaction.
    func wish(undoing last: ExecutionRecord, of record: EnvironmentRecord, in store: any StoreReading) throws -> Wish {
        let reason = "undo of \(last.kind.rawValue) \(last.id)"
        if last.purpose == .scale {
            var wish = try wish(replicas: last.replicasBefore ?? [:], for: record)
            wish.reason = reason
            return wish
        }
        guard let number = last.revisionBefore, let before = try store.revision(number, of: record.id),
            let spec = before.spec, let difference = before.difference
        else {
            throw APIProblem(
                .wrongState, "what \(record.name) was before is not kept",
                hint: "microstax env update \(record.name) --file <Blueprint>")
        }
        let copy = try creation.vault.copied(before, as: record.revision + 1, at: outside.now())
        let old = try store.secrets(of: record.id)
        let changed = Set((before.secrets ?? []).filter { !old.contains($0) }.map(\.service))
        return Wish(
            kind: .update, base: record.revision, spec: spec, difference: difference, revision: copy,
            secrets: before.secrets, changedSecrets: changed, reason: reason)
    }

    private func pinnedParent(of record: EnvironmentRecord) async throws -> Creation.Parent? {
        guard let pin = record.parent else { return nil }
        let (parent, revision, ancestors) = try await store.read { store in
            let parent = try store.environment(pin.id)
            let lineage = try parent.flatMap { try Lineage(of: $0, find: { try store.environment($0) }) }
            return (
                parent, try store.revision(pin.revision, of: pin.id), Array(lineage?.environments.dropFirst() ?? [])
            )
        }
        guard let parent, let revision else {
            throw APIProblem(.internalError, "revision \(pin.revision) of \(pin.name) is missing")
        }
        guard let spec = revision.spec ?? (parent.revision == pin.revision ? parent.spec : nil) else {
            throw APIProblem(
                .wrongState, "revision \(pin.revision) of \(pin.name) is from before revisions kept what they were",
                hint: "delete \(record.name) and create it again")
        }
        let text = try creation.vault.box.openText(revision.composed, for: "revision/\(pin.id)/\(pin.revision)")
        return Creation.Parent(
            record: parent, spec: spec,
            document: try Creation.document(text, of: parent, pin.revision), ancestors: ancestors)
    }
}
