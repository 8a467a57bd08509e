namespace Pagoda.Tests.Support;

/// <summary>Names of test categories that the test command selects by.</summary>
public static class Categories
{
    /// <summary>Vector code and its twins: run again without AVX-512, and without any vector unit.</summary>
    public const string Vectors = "Vectors";
}
