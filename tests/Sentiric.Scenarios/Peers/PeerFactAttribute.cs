using Sentiric.Testing.Platform;
using Xunit;

namespace Sentiric.Scenarios.Peers;

/// <summary>A test against a foreign program and no platform; skipped, with a word, where that program is not installed.</summary>
public sealed class PeerFactAttribute : FactAttribute
{
    public PeerFactAttribute(params string[] peers) => Skip = Peer.Missing(peers);
}

/// <summary>The same with several rows.</summary>
public sealed class PeerTheoryAttribute : TheoryAttribute
{
    public PeerTheoryAttribute(params string[] peers) => Skip = Peer.Missing(peers);
}

internal static class Peer
{
    public static string? Missing(string[] peers) => peers.FirstOrDefault(p => Programs.Find(p) is null) is { } missing
        ? $"{missing} is not installed; './sentiric test' gets it where it may, docs/interop.md says which package has it"
        : null;
}
