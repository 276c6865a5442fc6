extension ComposeService {
    /// Of one range.
    static let maxRange = 64

    /// `ports` and `expose`.
    mutating func readPorts() {
        for item in value["ports"]?.items.prefix(Fields.maxItems) ?? [] {
            if case .mapping = item.content { readLong(item) } else { readShort(item) }
        }
        for item in value["expose"]?.items.prefix(Fields.maxItems) ?? [] {
            guard let text = text(item, "expose") else { continue }
            let parts = text.split(separator: "/")
            guard let first = parts.first, let range = Self.range(String(first)), parts.count < 2 || parts[1] == "tcp"
            else {
                attention("expose", "`\(shortened(text))` is no port", at: item.location)
                continue
            }
            for number in range { addPort(number) }
        }
        carried("expose", "as `ports`")
        if ports.contains(where: \.isPublished), ports.contains(where: { $0.transport != .tcp && $0.isPublished }) {
            set("expose", .plain("true"))
        }
    }

    mutating func addPort(_ number: Int, remark: String? = nil) {
        guard portPlaces[number] == nil, ports.count < Fields.maxItems else { return }
        portPlaces[number] = ports.count
        ports.append(Port(number: number, transport: WellKnownPorts.transport(number), remark: remark))
    }

    /// What an image is known to listen on, where nobody says where it listens.
    mutating func addWellKnownPort() {
        guard ports.isEmpty, let image = value["image"]?.text, let port = WellKnownPorts.port(ofImage: image) else {
            return
        }
        addPort(port.number, remark: "where \(WellKnownPorts.imageName(image)) listens")
    }

    /// `"[address:][published:]target[/protocol]"`, either as a range.
    private mutating func readShort(_ item: LocatedValue) {
        guard let text = text(item, "ports") else { return }
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        let numbers = parts[0].split(separator: ":", omittingEmptySubsequences: false)
        guard let target = numbers.last, let range = Self.range(String(target)) else {
            return attention("ports", "`\(shortened(text))` is no port", at: item.location)
        }
        let transport = parts.count > 1 ? parts[1].lowercased() : "tcp"
        let published = numbers.count > 1 ? String(numbers[numbers.count - 2]) : ""
        add(range, transport, published: published, text, at: item.location)
    }

    /// `{target, published, protocol, name, app_protocol}`.
    private mutating func readLong(_ item: LocatedValue) {
        guard let target = text(item["target"], "ports"), let range = Self.range(target) else {
            return attention("ports", "it has no `target` that is a port", at: item.location)
        }
        let transport = text(item["protocol"], "ports") ?? "tcp"
        let published = text(item["published"], "ports") ?? ""
        add(range, transport, published: published, target, at: item.location)
        guard let index = portPlaces[range.lowerBound] else { return }
        if let spoken = text(item["app_protocol"], "ports").flatMap({ PortProtocol(rawValue: $0) }) {
            ports[index].transport = spoken
        }
        let name = ComposeNames.plainLabel(text(item["name"], "ports") ?? "")
        if !name.isEmpty, !ports.contains(where: { $0.name == name }) { ports[index].name = name }
    }

    private mutating func add(
        _ range: ClosedRange<Int>, _ transport: String, published: String, _ text: String, at location: SourceLocation
    ) {
        guard transport == "tcp" || transport.isEmpty else {
            return attention("ports", "\(shortened(text)): only TCP is carried", at: location)
        }
        if range.count > Self.maxRange {
            attention("ports", "only the first \(Self.maxRange) of \(shortened(text)) are taken", at: location)
        }
        for number in range.prefix(Self.maxRange) {
            addPort(number)
            guard let index = portPlaces[number] else { continue }
            ports[index].isPublished = true
        }
        let isTCP = WellKnownPorts.transport(range.lowerBound) == .tcp
        switch (published.isEmpty, isTCP) {
        case (true, _): notes.add(.carried, path("ports"), shortened(text), at: location)
        case (false, false):
            changed(
                "ports", "\(shortened(text)): `expose: true` gives it a URL instead of a port of the host", at: location
            )
        case (false, true):
            changed("ports", "\(shortened(text)): its address is in `env status`, not a port of the host", at: location)
        }
    }

    /// `80` or `80-90`.
    private static func range(_ text: String) -> ClosedRange<Int>? {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        let isNumber = { (part: Substring) in
            !part.isEmpty && part.count < 6 && part.utf8.allSatisfy { (0x30...0x39).contains($0) }
        }
        guard (1...2).contains(parts.count), parts.allSatisfy(isNumber), let low = Int(parts[0]),
            let high = Int(parts[parts.count - 1]), low >= 1, low <= high, high <= 65_535
        else { return nil }
        return low...high
    }

    mutating func writePorts() {
        guard !ports.isEmpty else { return }
        let names = Set(ports.compactMap(\.name))
        let items = ports.map { port -> DraftNode in
            guard let name = port.name else {
                let suffix = port.transport == .http ? "" : "/\(port.transport.rawValue)"
                return .text("\(port.number)\(suffix)")
            }
            var fields: [(String, DraftNode)] = [("name", .text(name)), ("containerPort", .plain("\(port.number)"))]
            if port.transport.rawValue != name, port.transport != .http || PortProtocol(rawValue: name) != nil {
                fields.append(("protocol", .text(port.transport.rawValue)))
            }
            return .line(fields)
        }
        let remarks = ports.compactMap(\.remark)
        set("ports", .list(items), remark: remarks.isEmpty || !names.isEmpty ? nil : remarks.joined(separator: ", "))
    }
}
