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

    var store: any Store { creation.store }
    var outside: Outside { creation.outside }

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
        /// It takes back an execution, which is allowed where that is under way or has failed.
        var isUndo = false
        var warnings: [ErrorDetail] = []
        /// Its composed Blueprint and what it was compared with; `nil` where only replicas change.
        var basis: Basis?
        /// The text of a contract is another one, under the same path.
        var hasOtherContracts = false
        /// The parent's revision that it stands on from now on; `nil` for the one that it stands on already.
        var pin: EnvironmentRecord.ParentPin?
    }

    /// What conflicts are looked for in.
    struct Basis: Sendable {
        var document: BlueprintDocument
        var parent: BlueprintSpec?
        /// What was found already.
        var known: [Conflict] = []
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
        return try await wish(composed, request, record, over: composed.parent)
    }

    /// - Parameter parent: the revision of the parent that it shall stand on.
    func wish(
        _ composed: Creation.Composed, _ request: CreateRequest, _ record: EnvironmentRecord,
        over parent: Creation.Parent?
    ) async throws -> Wish {
        let concealed = creation.vault.concealed(composed.spec)
        var carried = try await creation.carried(concealed, parent)
        // What was carried stays so, whatever is known by now: it was made to forget nothing.
        for entry in record.difference.entries where entry.kind == .carried && concealed.routing.carry == .auto {
            // In the same words, as other ones would be another difference.
            let why = entry.reasons.first?.split(separator: "(").last?.dropLast()
            carried[entry.service] = why.map(String.init) ?? "known before"
        }
        let difference = Difference.between(request: concealed, parent: parent?.spec, carrying: carried)
        var revision = try creation.revision(
            record.revision + 1, of: record.id, request, composed, concealed, difference)
        revision.parent = record.parent
        var wanted = record
        (wanted.spec, wanted.difference) = (concealed, difference)
        let sealed = try creation.vault.sealed(
            composed.spec, of: wanted, parent: parent?.spec, given: request.secrets, token: outside.token)
        let old = try await store.read { try $0.secrets(of: record.id) }
        let (secrets, changed) = try creation.vault.updated(sealed, from: old, spec: concealed)
        revision.secrets = secrets
        return Wish(
            kind: .update, base: record.revision, spec: concealed, difference: difference, revision: revision,
            secrets: secrets, changedSecrets: changed, warnings: composed.warnings.map { ErrorDetail($0) },
            basis: Basis(
                document: composed.checked.composed, parent: parent?.spec,
                known: staleness(record, concealed, parent)
                    + (try await contractConflicts(concealed, difference, composed.files, record, parent))),
            hasOtherContracts: try await hasOtherContracts(concealed, composed.files, record))
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

    private func hasOtherContracts(
        _ spec: BlueprintSpec, _ files: [String: String], _ record: EnvironmentRecord
    ) async throws -> Bool {
        let paths = Set(spec.services.compactMap(\.contract)).filter { files[$0] != nil }
        guard !paths.isEmpty,
            let revision = try await store.read({ try $0.revision(record.revision, of: record.id) })
        else { return false }
        let before = try creation.vault.files(of: [revision], named: paths)
        return paths.contains { files[$0] != before[$0] }
    }

    /// Against the parent's contracts, or those that a baseline has had until now.
    func contractConflicts(
        _ spec: BlueprintSpec, _ difference: Difference, _ files: [String: String], _ record: EnvironmentRecord,
        _ parent: Creation.Parent?
    ) async throws -> [Conflict] {
        if let parent { return Creation.contractConflicts(spec, difference, files, parent) }
        guard record.mode == .baseline,
            let revision = try await store.read({ try $0.revision(record.revision, of: record.id) })
        else { return [] }
        let before = try await creation.contracts(of: record.spec, revision, [])
        return ContractFinding(files: files, filesBefore: before)
            .conflicts(spec, local: Set(difference.localNames), against: record.spec, of: nil)
    }

    /// What an overlay changes and its parent has changed too, since the revision that the overlay stands on.
    private func staleness(
        _ record: EnvironmentRecord, _ mine: BlueprintSpec, _ parent: Creation.Parent?
    ) -> [Conflict] {
        guard let parent, let pin = record.parent, parent.record.revision > pin.revision else { return [] }
        let rebase = Rebase(
            base: parent.spec.serviceFields, mine: mine.serviceFields, theirs: parent.record.spec.serviceFields)
        return rebase.collisions.map { collision in
            Conflict(
                .staleBase,
                "\(collision.written) #r\(parent.record.revision), \(parent.record.revision - pin.revision) ahead",
                mine: .service(collision.service, collision.path),
                theirs: .service(collision.service, collision.path, of: pin.id),
                wayOut: "look at it with `microstax overlay rebase \(record.name) --dry-run`, then rebase and update")
        }
    }

    /// Back to what was wanted before an execution; within the caller's transaction.
    func wish(undoing last: ExecutionRecord, of record: EnvironmentRecord, in store: any StoreReading) throws -> Wish {
        let reason = "undo of \(last.kind.rawValue) \(last.id)"
        if last.purpose == .scale {
            var wish = try wish(replicas: last.replicasBefore ?? [:], for: record)
            (wish.reason, wish.isUndo) = (reason, true)
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
            secrets: before.secrets, changedSecrets: changed, reason: reason, isUndo: true, pin: before.parent)
    }

    /// The parent at the revision that the environment stands on.
    func pinnedParent(of record: EnvironmentRecord) async throws -> Creation.Parent? {
        try await parent(of: record, at: record.parent?.revision)
    }

    /// - Parameter revision: of the parent; `nil` for its present one.
    func parent(of record: EnvironmentRecord, at revision: Int?) async throws -> Creation.Parent? {
        guard let pin = record.parent else { return nil }
        let (parent, found, ancestors) = try await store.read { store in
            let parent = try store.environment(pin.id)
            let lineage = try parent.flatMap { try Lineage(of: $0, find: { try store.environment($0) }) }
            let number = revision ?? parent?.revision
            return (
                parent, try number.flatMap { try store.revision($0, of: pin.id) },
                Array(lineage?.environments.dropFirst() ?? [])
            )
        }
        guard let parent, let found else {
            throw APIProblem(.internalError, "revision \(revision.map(String.init) ?? "now") of \(pin.name) is missing")
        }
        // Replicas that were scaled since are no part of a revision.
        guard let spec = found.spec ?? (parent.revision == found.number ? parent.spec : nil) else {
            throw APIProblem(
                .wrongState, "revision \(found.number) of \(pin.name) is from before revisions kept what they were",
                hint: "delete \(record.name) and create it again")
        }
        return Creation.Parent(
            record: parent, spec: spec, document: try creation.vault.document(of: found, as: parent),
            ancestors: ancestors, contracts: try await creation.contracts(of: spec, found, ancestors))
    }
}
