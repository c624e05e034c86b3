using Bogus;

namespace Sentiric.Testing;

/// <summary>Made-up people with Turkish names and numbers, the same ones for the same seed.</summary>
public static class People
{
    public sealed record Person(string Name, string MobileDigits, string Email);

    /// <param name="seed">Print it when a test fails.</param>
    public static IReadOnlyList<Person> Make(int count, int seed)
    {
        var faker = new Faker("tr") { Random = new Randomizer(seed) };
        return [.. Enumerable.Range(0, count).Select(_ => new Person(
            $"{faker.Name.FirstName()} {faker.Name.LastName()}", "5" + faker.Random.ReplaceNumbers("#########"), faker.Internet.Email()))];
    }

    /// <summary>The same mobile number in the ways in which people and trunks write it.</summary>
    public static IReadOnlyList<string> WaysToWrite(Person person)
    {
        var d = person.MobileDigits;
        var spaced = $"{d[..3]} {d[3..6]} {d[6..8]} {d[8..]}";
        return
        [
            d, "0" + d, "90" + d, "+90" + d, "0090" + d, spaced, "0" + spaced, "+90 " + spaced, $"+90 ({d[..3]}) {d[3..6]}-{d[6..8]}-{d[8..]}",
            $"sip:+90{d}@trunk.example;user=phone", $"\"{person.Name}\" <sip:0{d}@10.0.0.1:5060>;tag=1", $"tel:+90{d}",
        ];
    }
}
