extension BlueprintDocument {
    /// The document as YAML. Reading it again, as a file of `folder`, gives the same spec; but literal secrets and
    /// passwords are not shown, so theirs are others then.
    ///
    /// - Parameters:
    ///   - folder: absolute; paths of files of other folders are written absolutely. `nil`: all are.
    ///   - showsProvenance: whether each line says where its value was written.
    ///   - isWhole: every service is there with all that it has; `false` for a part of something else.
    package func rendered(in folder: String?, showsProvenance: Bool = false, isWhole: Bool = true) -> String {
        var root = AbsolutePaths(folder: folder, isWhole: isWhole).written(SecretPlace.root.concealed(value))
        // What it is called stands first, wherever its layers put it.
        if case .mapping(let entries) = root.content {
            root.content = .mapping(entries.filter { $0.key == "name" } + entries.filter { $0.key != "name" })
        }
        var writer = TreeWriter()
        if showsProvenance { writer.remark = Self.remark }
        writer.write(root)
        return writer.text
    }

    /// Whether a literal secret or password stands in it, which ``rendered(in:showsProvenance:isWhole:)`` does not show.
    package var hasLiteralSecrets: Bool { SecretPlace.root.concealed(value) != value }

    private static func remark(_ value: LocatedValue) -> String? {
        // Keys and items stand where their maps and lists do.
        if case .mapping(let entries) = value.content, !entries.isEmpty { return nil }
        let place = "\(value.location.file.shown):\(value.location.line):\(value.location.column)"
        switch value.filledIn {
        case nil: return place
        case .portName: return "default, for the port at \(place)"
        case .wellKnown: return "well-known image at \(place)"
        }
    }
}

/// Writes paths so that they mean the same in a file of another folder.
struct AbsolutePaths {
    let folder: String?
    let isWhole: Bool

    func written(_ root: LocatedValue) -> LocatedValue {
        changing("services", of: root) { items($0) { service($0) } }
    }

    private func service(_ service: LocatedValue) -> LocatedValue {
        guard case .mapping = service.content else { return service }
        var service = service
        for key in ["workdir", "contract"] { service = changing(key, of: service, path) }
        service = changing("mock", of: service) { changing("openapi", of: $0, path) }
        service = changing("init", of: service) { initialisers in
            items(initialisers) { changing("script", of: $0, path) }
        }
        service = changing("secrets", of: service) { secrets in
            items(secrets) { changing("value", of: $0) { changing("fromFile", of: $0, path) } }
        }
        service = changing("volumes", of: service) { volumes in
            items(volumes) { $0["type"]?.text == "host" ? changing("mountPath", of: $0, path) : $0 }
        }
        return isWhole ? withWorkdir(service) : service
    }

    /// Without `workdir`, the folder of the file that says `command` is meant.
    private func withWorkdir(_ service: LocatedValue) -> LocatedValue {
        guard service["workdir"] == nil, !service.isRemoval, case .mapping(let entries) = service.content else {
            return service
        }
        let source = (service["command"]?.location ?? service.location)
        guard source.file.folder != folder else { return service }
        var service = service
        let value = LocatedValue(.scalar(FilePath.absolute(".", in: source.file.folder), .text), at: source)
        service.content = .mapping(entries + [.init(key: "workdir", location: source, value: value)])
        return service
    }

    private func path(_ value: LocatedValue) -> LocatedValue {
        guard let text = value.text, value.location.file.folder != folder else { return value }
        var value = value
        value.content = .scalar(FilePath.absolute(text, in: value.location.file.folder), .text)
        return value
    }

    private func changing(
        _ key: String, of map: LocatedValue, _ change: (LocatedValue) -> LocatedValue
    ) -> LocatedValue {
        guard case .mapping(var entries) = map.content, let index = entries.firstIndex(where: { $0.key == key }) else {
            return map
        }
        entries[index].value = change(entries[index].value)
        var map = map
        map.content = .mapping(entries)
        return map
    }

    /// Each item of a list; a value that is no list is taken for its only one.
    private func items(_ list: LocatedValue, _ change: (LocatedValue) -> LocatedValue) -> LocatedValue {
        guard case .sequence(let items) = list.content else { return change(list) }
        var list = list
        list.content = .sequence(items.map(change))
        return list
    }
}

extension CheckedBlueprint {
    /// What it comes to, as YAML that reads the same: ``BlueprintDocument/rendered(in:showsProvenance:isWhole:)``, with the
    /// services that an overlay removes from its parent, which are removed again then.
    package func rendered(in folder: String?, showsProvenance: Bool = false) -> String {
        var document = composed
        let gone = composed.removals.filter { removal in
            removal.path.count == 2 && removal.path[0] == "services" && removedServices.contains(removal.path[1])
        }
        if !gone.isEmpty, case .mapping(var entries) = document.value.content {
            let items = gone.map { Self.tombstone($0) }
            if let index = entries.firstIndex(where: { $0.key == "services" }) {
                entries[index].value.content = .sequence(entries[index].value.items + items)
            }
            document.value.content = .mapping(entries)
        }
        return document.rendered(in: folder, showsProvenance: showsProvenance)
    }

    private static func tombstone(_ removal: BlueprintDocument.Removal) -> LocatedValue {
        func field(_ key: String, _ content: LocatedValue.Content) -> LocatedValue.Entry {
            .init(key: key, location: removal.location, value: LocatedValue(content, at: removal.location))
        }
        let name = field("name", .scalar(removal.path[1], .text))
        return LocatedValue(.mapping([name, field("remove", .scalar("true", .boolean))]), at: removal.location)
    }
}
