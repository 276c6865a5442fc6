extension ComposeService {
    /// `volumes` and `tmpfs`.
    mutating func convertVolumes() {
        var items: [DraftNode] = []
        var taken: Set<String> = []
        var paths: Set<String> = []
        func add(_ name: String, _ path: String, _ kind: VolumeSpec.Kind) -> Bool {
            let isGood = !path.isEmpty && !path.split(separator: "/").contains("..") && path != "/"
            guard isGood, items.count < Fields.maxItems, paths.insert(path).inserted else { return false }
            let label = ComposeNames.label(name, or: "data", taken: &taken)
            var fields: [(String, DraftNode)] = [("name", .text(label)), ("mountPath", .text(path))]
            if kind != .pvc { fields.append(("type", .text(kind.rawValue))) }
            items.append(.line(fields))
            return true
        }
        func last(_ path: String) -> String { path.split(separator: "/").last.map(String.init) ?? "data" }

        for item in value["volumes"]?.items.prefix(Fields.maxItems) ?? [] {
            guard let mount = mount(item) else {
                attention("volumes", "it has no path in the service", at: item.location)
                continue
            }
            switch mount.kind {
            case .named(let name):
                if add(name, mount.target, .pvc) {
                    notes.add(.carried, path("volumes"), "\(name) on \(mount.target)", at: item.location)
                } else {
                    attention("volumes", "\(shortened(mount.target)) cannot be a volume", at: item.location)
                }
            case .anonymous:
                if add(last(mount.target), mount.target, .ephemeral) {
                    changed("volumes", "\(mount.target) is not kept", at: item.location)
                }
            case .bind(let source) where source == mount.target && source.hasPrefix("/"):
                if add(last(source), source, .host) {
                    changed("volumes", "\(source) is used as it is on the machine", at: item.location)
                }
            case .bind(let source):
                attention(
                    "volumes",
                    "\(shortened(source)) of this machine is not mounted at \(shortened(mount.target)); a process finds it "
                        + "in its `workdir`, an image must have it built in",
                    at: item.location)
            case .other(let kind):
                attention("volumes", "volumes of type \(shortened(kind)) are not carried over", at: item.location)
            }
        }
        if let tmpfs = value.entry("tmpfs") {
            for item in tmpfs.value.items.isEmpty ? [tmpfs.value] : tmpfs.value.items {
                guard let written = text(item, "tmpfs") else { continue }
                let target = String(written.split(separator: ":").first ?? "")
                if add(last(target), target, .ephemeral) { carried("tmpfs", "as an ephemeral volume") }
            }
        }
        if !items.isEmpty { set("volumes", .list(items)) }
    }

    private enum Source {
        case named(String)
        case anonymous
        case bind(String)
        case other(String)
    }

    private func mount(_ item: LocatedValue) -> (kind: Source, target: String)? {
        if case .mapping = item.content {
            guard let target = text(item["target"], "volumes"), !target.isEmpty else { return nil }
            let source = text(item["source"], "volumes") ?? ""
            switch text(item["type"], "volumes") ?? "volume" {
            case "bind": return (.bind(source), target)
            case "volume": return (source.isEmpty ? .anonymous : .named(source), target)
            case "tmpfs": return (.anonymous, target)
            case let kind: return (.other(kind), target)
            }
        }
        guard let text = text(item, "volumes") else { return nil }
        let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        guard parts.count > 1 else { return text.isEmpty ? nil : (.anonymous, text) }
        guard !parts[1].isEmpty else { return nil }
        let isPath =
            parts[0].isEmpty || ["/", ".", "~", "$"].contains { parts[0].hasPrefix($0) } || parts[0].contains("/")
        return (isPath ? .bind(parts[0]) : .named(parts[0]), parts[1])
    }

    /// Whether it keeps data that copies of it could not share.
    var keepsData: Bool {
        guard case .list(let items)? = fields["volumes"]?.value else { return false }
        return items.contains { item in
            guard case .inline(let entries) = item else { return false }
            return !entries.contains { $0.key == "type" && $0.value == .text("ephemeral") }
        }
    }
}
