/// One field of a service, or of the environment itself, that differs between two sides.
package struct FieldChange: Sendable, Hashable, Codable {
    /// Below the service: `env.RATE`, `ports.http.containerPort`; below the Blueprint for fields of the environment itself.
    package var path: String
    /// `nil` where the field was not there.
    package var old: String?
    /// `nil` where the field is not there any more.
    package var new: String?

    package init(path: String, old: String?, new: String?) {
        self.path = path
        self.old = old
        self.new = new
    }

    /// For a person; what must not be shown is not.
    package var shown: (old: String?, new: String?) {
        guard ServiceFields.isHidden(path) else { return (old, new) }
        return (old.map { _ in "(secret)" }, new.map { _ in old == nil ? "(secret)" : "(another secret)" })
    }
}

/// How one spec differs from another, field by field, and what is needed to make the one into the other.
package struct FieldDifference: Sendable, Hashable {
    package enum Kind: String, Sendable, Hashable {
        case added, changed, removed
    }

    package struct Service: Sendable, Hashable {
        package var name: String
        package var kind: Kind
        /// Sorted by path. All of an added service's, and of a removed one's.
        package var changes: [FieldChange]
    }

    /// Sorted by name; only those that differ.
    package var services: [Service]
    /// Of the environment itself, sorted by path.
    package var own: [FieldChange]

    package var isEmpty: Bool { services.isEmpty && own.isEmpty }

    /// The fields that differ, sorted by path.
    package static func changes(from old: [String: String], to new: [String: String]) -> [FieldChange] {
        var changes: [FieldChange] = []
        for (path, value) in new where old[path] != value {
            changes.append(FieldChange(path: path, old: old[path], new: value))
        }
        for (path, value) in old where new[path] == nil {
            changes.append(FieldChange(path: path, old: value, new: nil))
        }
        return changes.sorted { $0.path < $1.path }
    }

    package static func between(
        _ old: [String: ServiceFields], _ new: [String: ServiceFields], own: [FieldChange] = []
    ) -> FieldDifference {
        var services: [Service] = []
        for (name, fields) in new {
            guard let before = old[name] else {
                services.append(Service(name: name, kind: .added, changes: changes(from: [:], to: fields.values)))
                continue
            }
            let changes = changes(from: before.values, to: fields.values)
            if !changes.isEmpty { services.append(Service(name: name, kind: .changed, changes: changes)) }
        }
        for (name, fields) in old where new[name] == nil {
            services.append(Service(name: name, kind: .removed, changes: changes(from: fields.values, to: [:])))
        }
        return FieldDifference(services: services.sorted { $0.name < $1.name }, own: own)
    }

    /// What the services become: applying the difference between two to the first gives the second.
    package func applied(to services: [String: ServiceFields]) -> [String: ServiceFields] {
        var result = services
        for service in self.services {
            if service.kind == .removed {
                result[service.name] = nil
                continue
            }
            var fields = result[service.name] ?? ServiceFields()
            for change in service.changes { fields[change.path] = change.new }
            result[service.name] = fields
        }
        return result
    }
}
