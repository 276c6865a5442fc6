extension ComposeService {
    /// `image`, `build`, `command`, `entrypoint`, `user`, `working_dir`.
    mutating func convertProgram() {
        let built = "\(project)-\(name)"
        let image = text(value["image"], "image").map(Self.imageReference) ?? nil
        if let build = value.entry("build"), !build.value.isNull {
            set("image", .text(image ?? built))
            attention(
                "build",
                "Compose built this image from \(describe(build.value)). Build it under this name, or put the `command` "
                    + "that starts the service on this machine in its place",
                at: build.location)
            carried("image")
        } else if let image {
            set("image", .text(image))
            carried("image")
        } else {
            set("image", .text(built))
            attention(
                "image", "the Compose file says neither `image` nor `build`; write what runs",
                at: value.entry("image")?.location ?? location)
        }
        convertCommand()
        if let entry = value.entry("user"), let user = text(entry.value, "user") {
            let own = String(user.prefix { $0 != ":" })
            let isGood = !own.isEmpty && own.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != 0x2F }
            if isGood { set("user", .text(own)) }
            if isGood, own == user {
                carried("user")
            } else if isGood {
                changed("user", "without the group", at: entry.location)
            } else {
                attention("user", "`\(shortened(user))` is no user's name", at: entry.location)
            }
        }
        if let folder = text(value["working_dir"], "working_dir"), !folder.isEmpty {
            set("workdir", .text(folder))
            carried("working_dir")
        }
    }

    private mutating func convertCommand() {
        if let entry = value.entry("command"), !entry.value.isNull {
            let words: [String]
            if case .sequence = entry.value.content {
                words = texts(entry.value, "command")
                carried("command", "as `args`: what the image runs is its own")
            } else {
                words = Array(ComposeText.words(text(entry.value, "command") ?? "").prefix(Fields.maxItems))
                carried("command", "as `args`, split as a shell does")
            }
            if !words.isEmpty { set("args", .words(words.map { renamed($0, "command", at: entry.location) })) }
        }
        if let entry = value.entry("entrypoint"), !entry.value.isNull {
            let words =
                entry.value.items.isEmpty
                ? ComposeText.words(text(entry.value, "entrypoint") ?? "") : texts(entry.value, "entrypoint")
            guard !words.isEmpty else { return leftOut("entrypoint", "", at: entry.location) }
            attention(
                "entrypoint",
                "the image's own entry point runs, not `\(shortened(words.joined(separator: " ")))`; an image that has it "
                    + "built in would do",
                at: entry.location)
        }
    }

    /// A word of a command with the services that it addresses called as they are now; references are not known there.
    func renamed(_ text: String, _ field: String, at location: SourceLocation) -> String {
        let found = LiteralAddresses.occurrences(in: text, among: names.known).filter {
            names.services[$0.service] != $0.service
        }
        guard !found.isEmpty else { return text }
        let bytes = Array(text.utf8)
        var result: [UInt8] = []
        var done = 0
        for place in found where place.bytes.lowerBound >= done {
            result += bytes[done..<place.bytes.lowerBound] + Array((names.services[place.service] ?? "").utf8)
            done = place.bytes.upperBound
        }
        changed(field, "it names services as they are called now", at: location)
        return String(decoding: result + bytes[done...], as: UTF8.self)
    }

    /// `nil` for what is no reference; a tag that came to nothing is none.
    private static func imageReference(_ text: String) -> String? {
        var image = text
        while image.hasSuffix(":") || image.hasSuffix("@") { image.removeLast() }
        guard !image.isEmpty, image.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else { return nil }
        return image
    }

    private func describe(_ build: LocatedValue) -> String {
        var context = text(build, "build") ?? text(build["context"], "build.context") ?? "."
        if !context.hasPrefix(".") && !context.hasPrefix("/") && !context.contains("://") { context = "./" + context }
        var details: [String] = []
        if let file = text(build["dockerfile"], "build.dockerfile") { details.append("file \(file)") }
        if build["dockerfile_inline"] != nil { details.append("a Dockerfile written here") }
        if let target = text(build["target"], "build.target") { details.append("target \(target)") }
        let arguments = ComposeMerge.map(build["args"] ?? build).entries.map(\.key)
        if build["args"] != nil, !arguments.isEmpty {
            details.append("with \(arguments.prefix(6).joined(separator: ", "))")
        }
        return shortened(context) + (details.isEmpty ? "" : " (\(details.map(shortened).joined(separator: ", ")))")
    }
}
