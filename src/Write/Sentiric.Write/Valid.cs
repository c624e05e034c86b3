using System.Text.RegularExpressions;
using Sentiric.Contracts.Events;
using System.Text.Json;

namespace Sentiric.Write;

/// <summary>What a value from outside must look like, in one place.</summary>
public static partial class Valid
{
    public const int MaxId = 64;
    public const int MaxName = 200;
    public const int MaxText = 4_000;

    private static readonly string[] KnownLanguages = ["tr", "en"];

    /// <summary>"book_appointment", "dis-klinigi": lower-case ASCII letters and digits, joined by single dashes or underscores.</summary>
    public static bool Id(string? value) => value is { Length: > 0 and <= MaxId } && IdPattern().IsMatch(value);

    /// <summary>As <see cref="Id"/>, without underscores.</summary>
    public static bool TenantId(string? value) => Id(value) && !value!.Contains('_', StringComparison.Ordinal);

    /// <summary>Words for people: not empty, bounded, no control characters, storable as UTF-8.</summary>
    public static bool Text(string? value, int max = MaxText) =>
        !string.IsNullOrWhiteSpace(value) && value.Length <= max && IsWellFormed(value);

    public static bool Language(string? value) => value is not null && KnownLanguages.Contains(value, StringComparer.Ordinal);

    /// <summary>Whether two facts say the same, whenever they were said; give both the same time.</summary>
    public static bool Same<T>(T earlier, T later)
        where T : class, IFact =>
        Json(earlier) == Json(later);

    private static string Json<T>(T fact)
        where T : class, IFact =>
        JsonSerializer.Serialize(fact, EventCatalog.StoredJson(typeof(T)));

    private static bool IsWellFormed(string value)
    {
        foreach (var rune in value.EnumerateRunes())
        {
            // EnumerateRunes shows half a surrogate pair as U+FFFD; a control character other than a line break or a tab is never meant.
            if (rune == System.Text.Rune.ReplacementChar || (System.Text.Rune.IsControl(rune) && rune.Value is not ('\n' or '\r' or '\t')))
            {
                return false;
            }
        }

        return true;
    }

    [GeneratedRegex("^[a-z0-9]+([-_][a-z0-9]+)*$", RegexOptions.CultureInvariant)]
    private static partial Regex IdPattern();
}
