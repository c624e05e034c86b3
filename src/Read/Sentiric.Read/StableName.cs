using System.Collections.Frozen;
using System.Text.Json;
using Sentiric.Contracts;

namespace Sentiric.Read;

/// <summary>The stable names of the closed lists ("no_answer"), as they stand in the JSON and so in the tables.</summary>
internal static class StableName
{
    public static string Of<T>(T value)
        where T : struct, Enum => Names<T>.OfValue[value];

    public static T Parse<T>(string name)
        where T : struct, Enum => JsonSerializer.SerializeToElement(name).Deserialize<T>(Wire.Json);

    private static class Names<T>
        where T : struct, Enum
    {
        public static readonly FrozenDictionary<T, string> OfValue =
            Enum.GetValues<T>().Distinct().ToFrozenDictionary(v => v, v => JsonSerializer.SerializeToElement(v, Wire.Json).GetString()!);
    }
}
