using System.Collections.Concurrent;

namespace Sentiric.EventStore;

/// <summary>The name by which a Marten host tells the type: full name and assembly.</summary>
internal static class DotnetName
{
    private static readonly ConcurrentDictionary<Type, string> Known = new();

    public static string Of(Type type) => Known.GetOrAdd(type, static t => $"{t.FullName}, {t.Assembly.GetName().Name}");
}
