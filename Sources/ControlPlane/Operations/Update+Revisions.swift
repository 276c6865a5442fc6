import API
import Blueprints
import EnvironmentGraph
import Foundation
import HTTPTransport
import Orchestration
import Storage

/// Going back to an earlier revision, and going on to a newer one of the parent.
extension Update {
    /// What revision `number` wanted, as a revision of its own: history is only ever added to.
    func wish(rollingBackTo number: Int, _ record: EnvironmentRecord) async throws -> Wish {
        let id = record.id
        let (found, revisions, old) = try await store.read { store in
            (try store.revision(number, of: id), try store.revisions(of: id), try store.secrets(of: id))
        }
        guard let found, let spec = found.spec, let difference = found.difference else {
            throw APIProblem(
                .notFound, "\(record.name) has no revision \(number) to go back to",
                hint: "`microstax env history \(record.name)` lists what there is")
        }
        let next = max(record.revision, revisions.last?.number ?? 0) + 1
        let copy = try creation.vault.copied(found, as: next, at: outside.now())
        let changed = Set((found.secrets ?? []).filter { !old.contains($0) }.map(\.service))
        // From before pins were kept with revisions: it is that of the next one, as only a rebase moves it.
        let pin = found.parent ?? revisions.first { $0.number > number && $0.parent != nil }?.parent
        var standing = record
        standing.parent = pin ?? record.parent
        let parent = try await pinnedParent(of: standing)
        let files = try creation.vault.files(of: [found], named: Set(spec.services.compactMap(\.contract)))
        return Wish(
            kind: .update, base: record.revision, spec: spec, difference: difference, revision: copy,
            secrets: found.secrets, changedSecrets: changed, reason: "rollback to revision \(number)",
            basis: Basis(
                document: try creation.vault.document(of: found), parent: parent?.spec,
                known: try await contractConflicts(spec, difference, files, record, parent)), pin: pin)
    }

    /// The overlay as its own Blueprint says, over what its parent is now. `nil` where it stands on that already.
    func wish(rebasing record: EnvironmentRecord) async throws -> (wish: Wish, rebase: Rebase)? {
        guard let pin = record.parent else {
            throw APIProblem(
                .invalidRequest, "\(record.name) is of mode \(record.mode.rawValue) and stands on nothing",
                hint: "only an overlay is rebased")
        }
        guard let base = try await pinnedParent(of: record), let latest = try await parent(of: record, at: nil) else {
            throw APIProblem(.internalError, "the parent of \(record.name) is missing")
        }
        guard latest.record.revision != pin.revision else { return nil }
        let (request, layers) = try await lastRequest(of: record)
        var composed = try await creation.compose(request, mode: record.mode, layers: layers) { _ in latest }
        let said = try await store.read { try $0.revision(record.revision, of: record.id) }?.spec
        for (index, service) in composed.spec.services.enumerated() {
            // What was scaled since stays scaled: it is what the overlay wants.
            guard let now = record.spec.service(service.name)?.replicas,
                let then = said?.service(service.name)?.replicas,
                now != then
            else { continue }
            composed.spec.services[index].replicas = now
        }
        var wish = try await self.wish(composed, request, record, over: latest)
        let rebase = Rebase(
            base: base.spec.serviceFields, mine: record.spec.serviceFields, theirs: latest.spec.serviceFields)
        let newPin = EnvironmentRecord.ParentPin(
            id: pin.id, name: latest.record.name, revision: latest.record.revision)
        wish.reason = "rebase onto \(newPin.name)#r\(newPin.revision)"
        wish.pin = newPin
        wish.revision?.parent = newPin
        let broken = (wish.basis?.known ?? []).filter { $0.code == .contractBroken }
        wish.basis?.known =
            broken
            + rebase.collisions.map { collision in
                Conflict(
                    .rebaseCollision, "\(collision.written)#r\(newPin.revision)",
                    mine: .service(collision.service, collision.path),
                    theirs: .service(collision.service, collision.path, of: pin.id),
                    wayOut: "keep what this overlay says with `--keep-mine`, or take it out of its Blueprint and "
                        + "`microstax env update \(record.name)`")
            }
        return (wish, rebase)
    }

    /// What a person sent last, with the values of secrets that their machine gave then, and the revisions of layers.
    private func lastRequest(
        of record: EnvironmentRecord
    ) async throws -> (request: CreateRequest, layers: [SourceOrigin]) {
        let (revision, secrets) = try await store.read { store in
            (try store.revision(record.revision, of: record.id), try store.secrets(of: record.id))
        }
        guard let revision else { throw APIProblem(.internalError, "the Blueprint of \(record.name) is missing") }
        let box = creation.vault.box
        let place = "revision/\(record.id)/\(revision.number)"
        let file = try creation.vault.document(of: revision).value.location.file
        let request = CreateRequest(
            blueprint: try box.openText(revision.source, for: place), file: file.name, folder: file.folder,
            files: try revision.files.mapValues { try box.openText($0, for: place) },
            secrets: Dictionary(
                try secrets.map { ("\($0.service)/\($0.name)", try creation.vault.value(of: $0)) },
                uniquingKeysWith: { $1 }),
            carry: record.spec.routing.carry == .auto)
        return (request, revision.layers ?? [])
    }
}
